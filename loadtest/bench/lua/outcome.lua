-- What both scripts share: threads are numbered, and the outcome is printed as one line of JSON.

local threads = 0

function setup(thread)
  thread:set("thread_index", threads)
  threads = threads + 1
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "microseconds": %d, "p50_us": %d, "p99_us": %d, "non_2xx": %d, ' ..
      '"connect": %d, "read": %d, "write": %d, "timeout": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout
  ))
end

-- Return each line of a file.
function lines_of(file)
  local lines = {}
  for line in io.lines(file) do
    lines[#lines + 1] = line
  end
  return lines
end

-- Return a whole request with this body.
function post(body)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  return wrk.format(nil, nil, nil, body)
end
