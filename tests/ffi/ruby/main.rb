# SPDX-License-Identifier: MIT
# The main job through the shared library alone, with fiddle.
require "fiddle"
require "tmpdir"

ROUNDS = 100_000
LIBRARY = Fiddle.dlopen(ENV.fetch("APIKEYS_LIBRARY"))
POINTER, SIZE, INT, VOID =
  Fiddle::TYPE_VOIDP, Fiddle::TYPE_SIZE_T, Fiddle::TYPE_INT, Fiddle::TYPE_VOID
FUNCTIONS = {}

def function(name, result, *types)
  FUNCTIONS[[name, types]] ||= Fiddle::Function.new(LIBRARY["apikeys_#{name}"], types, result)
end

# Frees what it holds when Ruby likes to: the order must not matter.
class Handle
  attr_reader :pointer

  def initialize(kind, pointer = nil, free = "#{kind}_free")
    @pointer = pointer || function("#{kind}_new", POINTER).call
    raise "no #{kind}" if @pointer.null?
    @pointer.free = LIBRARY["apikeys_#{free}"]
  end
end

CODE = (0...function("result_count", SIZE).call).to_h do |i|
  code = function("result_at", INT, SIZE).call(i)
  [function("result_name", POINTER, INT).call(code).to_s, code]
end
ERR = Handle.new("error")
VALUE_MAX = function("value_max", SIZE).call

def error(part) = function("error_#{part}", POINTER, POINTER).call(ERR.pointer).to_s

def same(expected, found)
  raise "#{expected.inspect} expected, not #{found.inspect}" unless expected == found
end

def expect(name, rc, field: nil, subject: nil)
  raise "#{name} expected, not #{rc}: #{error("message")}" unless rc == CODE.fetch(name)
  same(field, error("field")) if field
  same(subject, error("subject")) if subject
  raise "no message" if rc.negative? && error("message").empty?
end

# Any function: strings become pointer and length, handles their pointer.
def call(name, *arguments)
  types, values = [], []
  arguments.each do |argument|
    case argument
    when String then types.push(POINTER, SIZE); values.push(argument, argument.bytesize)
    when Integer then types.push(INT); values.push(argument)
    when Handle then types.push(POINTER); values.push(argument.pointer)
    else types.push(POINTER); values.push(argument)
    end
  end
  function(name, INT, *types).call(*values)
end

def text(name, pointer)
  length = Fiddle::Pointer.malloc(Fiddle::SIZEOF_SIZE_T, Fiddle::RUBY_FREE)
  lent = function(name, POINTER, POINTER, POINTER).call(pointer, length)
  copied = lent[0, length[0, Fiddle::SIZEOF_SIZE_T].unpack1("J")]
  same(lent.to_s, copied)
  copied.force_encoding("UTF-8")
end

def out_pointer = Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE)

def open_environment(path)
  out = out_pointer
  rc = function("open_sqlite", INT, POINTER, POINTER, POINTER, POINTER)
       .call(out, path, nil, ERR.pointer)
  [rc, rc.zero? ? Handle.new("environment", out.ptr, "close") : nil]
end

def create_key(env, actor, spec, key, size = VALUE_MAX)
  value = Fiddle::Pointer.malloc(VALUE_MAX, Fiddle::RUBY_FREE)
  length = Fiddle::Pointer.malloc(Fiddle::SIZEOF_SIZE_T, Fiddle::RUBY_FREE)
  length[0, 8] = "\0" * 8
  types = [POINTER, POINTER, POINTER, POINTER, POINTER, SIZE, POINTER, POINTER]
  rc = function("key_create", INT, *types).call(env.pointer, actor.pointer, spec.pointer,
                                                key.pointer, value, size, length, ERR.pointer)
  [rc, value[0, length[0, Fiddle::SIZEOF_SIZE_T].unpack1("J")]]
end

def check(env, value, need = nil, key = nil) = call("validate", env, value, need, nil, key, ERR)

def make_spec(organization, name, *permissions)
  spec = Handle.new("key_spec")
  call("key_spec_set_organization", spec, organization)
  call("key_spec_set_name", spec, name)
  permissions.each { |slug| call("key_spec_add_permission", spec, slug) }
  spec
end

def make_organization(env, system, name)
  organization = Handle.new("organization")
  call("organization_set_name", organization, name)
  expect "OK", call("organization_create", env, system, organization, ERR)
  same name, text("organization_name", organization.pointer)
  text("organization_id", organization.pointer)
end

def make_world(env, system)
  { "posts:read" => 1, "posts:write" => 1, "posts:purge" => 0 }.each do |slug, available|
    permission = Handle.new("permission")
    call("permission_set_slug", permission, slug)
    call("permission_set_name", permission, slug)
    call("permission_set_available_to_organization_keys", permission, available)
    expect "OK", call("permission_create", env, system, permission, ERR)
  end
  role = Handle.new("role")
  call("role_set_slug", role, "developer")
  call("role_set_name", role, "Developer")
  call("role_add_permission", role, "widgets:api-keys:manage")
  expect "OK", call("role_create", env, system, role, ERR)
  acme = make_organization(env, system, "Acmé")
  { "ada" => "developer", "bob" => "member" }.each do |user, named|
    member = Handle.new("member")
    call("member_set_organization_id", member, acme)
    call("member_set_user_id", member, user)
    call("member_add_role", member, named)
    expect "OK", call("member_create", env, system, member, ERR)
  end
  acme
end

def member_actor(organization, user)
  actor = Handle.new("actor")
  expect "OK", call("actor_set_member", actor, organization, user)
  actor
end

def refused_creations(env, ada, bob, acme)
  key = Handle.new("key")
  nowhere = "org_#{"0" * 26}"
  eve = member_actor(acme, "eve")
  [
    ["ERROR_INVALID_ARGUMENT", ada, make_spec(acme, "a\ab"), "name", nil],
    ["ERROR_INVALID_ARGUMENT", ada, make_spec(acme, "\xff"), "name", nil],
    ["ERROR_INVALID_ARGUMENT", ada, make_spec(acme, "n" * 256), "name", nil],
    ["ERROR_UNKNOWN_PERMISSION", ada, make_spec(acme, "n", "no:such"), nil, "no:such"],
    ["ERROR_PERMISSION_NOT_AVAILABLE", ada, make_spec(acme, "n", "posts:purge"), nil,
     "posts:purge"],
    ["ERROR_NOT_FOUND", ada, make_spec(nowhere, "n"), nil, nil],
    ["ERROR_NOT_ALLOWED", bob, make_spec(acme, "n"), nil, nil],
    ["ERROR_ACTOR_UNKNOWN", eve, make_spec(acme, "n"), nil, nil],
    ["ERROR_ACTOR_UNKNOWN", Handle.new("actor"), make_spec(acme, "n"), nil, nil]
  ].each do |name, actor, spec, field, subject|
    rc, value = create_key(env, actor, spec, key)
    expect(name, rc, field: field, subject: subject)
    same "", value
  end
  expect "ERROR_BUFFER_TOO_SMALL", create_key(env, ada, make_spec(acme, "n"), key, 10).first
end

def page_through(env, ada, acme)
  filter, page = Handle.new("filter"), Handle.new("page")
  page_key = function("page_key", POINTER, POINTER, SIZE)
  call("filter_set_organization_id", filter, acme)
  call("filter_set_limit", filter, 2)
  names, cursor = [], ""
  loop do
    expect "OK", call("filter_set_after", filter, cursor)
    expect "OK", call("key_list", env, ada, filter, page, ERR)
    function("page_count", SIZE, POINTER).call(page.pointer).times do |i|
      names << text("key_name", page_key.call(page.pointer, i))
    end
    cursor = text("page_after", page.pointer)
    break if cursor.empty?
  end
  same %w[k4 k3 k2 k1 k0], names
  same true, page_key.call(page.pointer, 99).null?
  call("filter_set_after", filter, "api_key_#{"0" * 26}")
  expect "ERROR_CURSOR_UNKNOWN", call("key_list", env, ada, filter, page, ERR)
end

def main_job(env, ada, acme)
  spec, key = make_spec(acme, "k0", "posts:read"), Handle.new("key")
  rc, value = create_key(env, ada, spec, key)
  expect "OK", rc
  id = text("key_id", key.pointer)
  reads, writes = Handle.new("requirement"), Handle.new("requirement")
  call("requirement_add_permission", reads, "posts:read")
  call("requirement_add_permission", writes, "posts:write")
  expect "OK", check(env, value, reads, key)
  same "posts:read", text("key_permissions", key.pointer)
  expect "NOT_PERMITTED", check(env, value, writes), subject: "posts:write"
  expect "MALFORMED", check(env, value[0...-1])
  expect "OK", call("validate_authorization", env, "Bearer #{value}", reads, nil, key, ERR)
  expect "MALFORMED", call("validate_authorization", env, "Basic #{value}", nil, nil, nil, ERR)
  (1..4).each do |i|
    call("key_spec_set_name", spec, "k#{i}")
    expect "OK", create_key(env, ada, spec, key).first
  end
  page_through(env, ada, acme)
  expect "OK", call("key_revoke", env, ada, id, "leaked", key, ERR)
  expect "REVOKED", check(env, value, reads)
  same 401, function("result_status", INT, INT).call(CODE["REVOKED"])
  expect "ERROR_ALREADY_REVOKED", call("key_revoke", env, ada, id, "again", key, ERR)
  same "leaked", text("key_revoked_reason", key.pointer)
  expect "ERROR_NOT_FOUND", call("key_get", env, ada, "api_key_#{"0" * 26}", key, ERR)
end

def another_environments_key(env, system, folder)
  rc, other = open_environment(File.join(folder, "other.db"))
  expect "OK", rc
  key = Handle.new("key")
  rc, value = create_key(other, system, make_spec(make_organization(other, system, "Other"), "o"),
                         key)
  expect "OK", rc
  expect "UNKNOWN", check(env, value)
  other.pointer.call_free
  same "o", text("key_name", key.pointer) # objects outlive their environment
end

def resident_kib = Integer(File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1])

def rounds(env, system, acme)
  spec = make_spec(acme, "round", "posts:read")
  rc, value = create_key(env, system, spec, Handle.new("key"))
  expect "OK", rc
  make, free = function("key_new", POINTER), function("key_free", VOID, POINTER)
  some = lambda do |count|
    count.times do |i|
      key = make.call
      same 0, check(env, value, nil, key)
      free.call(key)
      next unless (i % 250).zero?
      made = Handle.new("key")
      expect "OK", create_key(env, system, spec, made).first
      expect "OK", call("key_revoke", env, system, text("key_id", made.pointer), "", nil, ERR)
    end
    GC.start
  end
  some.call(ROUNDS / 2)
  before = resident_kib
  some.call(ROUNDS)
  grown = resident_kib - before
  raise "#{grown} KiB more after #{ROUNDS} rounds" if grown > 4096
  grown
end

Dir.mktmpdir(nil, ENV.fetch("APIKEYS_SCRATCH_DIR")) do |folder|
  expect "ERROR_CANNOT_OPEN", open_environment(folder).first
  expect "ERROR_INVALID_ARGUMENT", open_environment("").first
  rc, env = open_environment(File.join(folder, "keys.db"))
  expect "OK", rc

  types, destroyed = [], []
  on_event = Fiddle::Closure::BlockCaller.new(VOID, [POINTER, POINTER]) do |event, _|
    types << text("event_type", event)
  end
  on_destroy = Fiddle::Closure::BlockCaller.new(VOID, [POINTER]) { |data| destroyed << data.to_i }
  subscription = out_pointer
  expect "OK", call("subscribe", env, on_event, Fiddle::Pointer.new(7), on_destroy, subscription,
                    ERR)

  system = Handle.new("actor")
  expect "OK", call("actor_set_system", system, "ffi test")
  acme = make_world(env, system)
  ada = member_actor(acme, "ada")
  refused_creations(env, ada, member_actor(acme, "bob"), acme)
  main_job(env, ada, acme)
  another_environments_key(env, system, folder)
  same 5, types.count("api_key.created")
  same 1, types.count("api_key.revoked")
  same [], destroyed
  function("subscription_free", VOID, POINTER).call(subscription.ptr)
  same [7], destroyed

  puts "ruby: all good, #{ROUNDS} rounds, #{rounds(env, system, acme)} KiB more resident"
end
