-- SPDX-License-Identifier: MIT
-- For wrk: POST /api_keys/validations with one value after another, formatted in advance.
--   wrk ... -s requests.lua URL -- VALUES_FILE AUTHORIZATION

local requests, next_request = {}, 0

function init(arguments)
  local headers = {
    ["Content-Type"] = "application/json",
    ["Authorization"] = "Bearer " .. arguments[2],
  }
  for value in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", "/api_keys/validations", headers,
      '{"value":"' .. value .. '"}')
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"microseconds":%d,"errors":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
