# SPDX-License-Identifier: MIT
# Calls from Ruby by Fiddle: an empty one, and a validation. Arguments: see run.sh.
require "fiddle"
require "json"

library, store, rounds, calls = ARGV[0], ARGV[1], ARGV[2].to_i, ARGV[3].to_i
lib = Fiddle.dlopen(library)
pointer, size, int = Fiddle::TYPE_VOIDP, Fiddle::TYPE_SIZE_T, Fiddle::TYPE_INT
function = ->(name, types, result) { Fiddle::Function.new(lib["apikeys_" + name], types, result) }
empty = function.("value_max", [], size)
validate = function.("validate", [pointer, pointer, size, pointer, pointer, pointer, pointer], int)
place = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)
opened = function.("open_sqlite", [pointer] * 4, int).call(place, store + "/keys.db", nil, nil)
abort "cannot open the store" unless opened == 0
env = place.ptr
key = function.("key_new", [], pointer).call
data = File.binread(store + "/values", 64 * 1000)
values = (0...data.size).step(64).map { |at| data[at + 2, data[at, 2].unpack1("S<")] }
sequence = Array.new(calls) { |i| values[i % values.size] }

now = -> { Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID, :nanosecond) }
time_empty = lambda do
  begun = now.()
  sequence.each { |_| empty.call }
  (now.() - begun).fdiv(calls)
end
time_validations = lambda do
  wrong = 0
  begun = now.()
  sequence.each { |value| wrong += validate.call(env, value, value.bytesize, nil, nil, key, nil) }
  abort "wrong answers" unless wrong == 0
  (now.() - begun).fdiv(calls)
end

time_validations.()
figures = { "empty call" => [], "validation" => [] }
rounds.times do
  figures["empty call"] << time_empty.()
  figures["validation"] << time_validations.()
end
figures.each do |what, found|
  puts JSON.generate(scenario: "foreign", group: "libapikeys", name: "Ruby, Fiddle: " + what,
                     keys: 1000, unit: "ns", median: found.sort[found.size / 2], rounds: found)
end
function.("close", [pointer], Fiddle::TYPE_VOID).call(env)
