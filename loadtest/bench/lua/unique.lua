-- Posts bodies of which no two are equal.
-- wrk -s unique.lua URL -- BODIES FIRST STEP: a file with one body a line, and the numbers that a
-- thread puts where a body has its marks (FIRST + STEP * thread, and upwards).

dofile("outcome.lua")

-- As wide as what replaces it, so that Content-Length is right before the number is known.
local mark = "@@@@@@@@@"
local requests, turn, number = {}, 0, 0

function init(args)
  for index, body in ipairs(lines_of(args[1])) do
    local parts = {}
    for part in (post(body) .. mark):gmatch("(.-)" .. mark) do
      parts[#parts + 1] = part
    end
    requests[index] = parts
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
