-- Posts bodies of which no two are equal, and prints the outcome as one line of JSON.
-- wrk -s unique.lua URL -- TEMPLATES FIRST STEP: a file with one body a line, and the numbers that
-- a thread puts where a body has its marks (FIRST + STEP * thread, and upwards).

-- As wide as what replaces it, so that Content-Length is right before the number is known.
local mark = "@@@@@@@@@"
local requests, turn, number = {}, 0, 0
local threads = 0

function setup(thread)
  thread:set("thread_index", threads)
  threads = threads + 1
end

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  for body in io.lines(args[1]) do
    local parts = {}
    for part in (wrk.format(nil, nil, nil, body) .. mark):gmatch("(.-)" .. mark) do
      parts[#parts + 1] = part
    end
    requests[#requests + 1] = parts
  end
  number = tonumber(args[2]) + tonumber(args[3]) * thread_index
end

-- The number changes once a round: within a round the templates differ by themselves.
function request()
  turn = turn + 1
  if turn > #requests then
    turn, number = 1, number + 1
  end
  return table.concat(requests[turn], string.format("0.%07d", number))
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
