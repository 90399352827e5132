"""What the supervisor runs: commands and environments in, files for supervisord out.

http://supervisord.org/configuration.html
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_SUPERVISORD = """\
[unix_http_server]
file={home}/run/supervisor.sock
chmod=0700

[supervisord]
directory={home}
logfile={home}/logs/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={home}/run/supervisord.pid
childlogdir={home}/logs
umask=077

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{home}/run/supervisor.sock

[include]
files={home}/programs/*.conf
"""
_PROGRAM = """\
[program:{name}]
command={command}
directory={home}
environment={environment}
priority={priority}
autorestart=true
startsecs=1
startretries=20
stopsignal={stop_signal}
stopwaitsecs=15
killasgroup=true
redirect_stderr=true
stdout_logfile={home}/logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""


def write_supervisor(home: Path) -> None:
    """Write the supervisor's own configuration."""
    (home / "supervisord.conf").write_text(_SUPERVISORD.format(home=_escape(str(home))))


def write_program(
    home: Path,
    name: str,
    command: str,
    priority: int,
    stop_signal: str = "TERM",
    **environment: str,
) -> None:
    """Write the program `name`; those with a lower priority start first and end last."""
    environment["PYTHONPATH"] = str(ROOT)
    text = _PROGRAM.format(
        name=name,
        command=_escape(command),
        home=_escape(str(home)),
        environment=",".join(f'{key}="{_escape(value)}"' for key, value in environment.items()),
        priority=priority,
        stop_signal=stop_signal,
    )
    (home / "programs" / f"{name}.conf").write_text(text)


def _escape(text: str) -> str:
    """Keep supervisor from expanding percent signs."""
    return text.replace("%", "%%")
