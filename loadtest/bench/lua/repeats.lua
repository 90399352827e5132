-- Posts the same bodies again and again, in an order drawn beforehand.
-- wrk -s repeats.lua URL -- BODIES DRAWS: a file with one body a line, and one with indexes from 0.
-- Whole requests are made beforehand, and each thread starts elsewhere in the order.

dofile("outcome.lua")

local requests, draws, turn = {}, {}, 0

function init(args)
  for index, body in ipairs(lines_of(args[1])) do
    requests[index] = post(body)
  end
  for index, draw in ipairs(lines_of(args[2])) do
    draws[index] = tonumber(draw) + 1
  end
  turn = math.floor(#draws * 0.618 * thread_index) % #draws
end

function request()
  turn = turn % #draws + 1
  return requests[draws[turn]]
end
