// SPDX-License-Identifier: MIT

// The main job through the shared library alone, with cgo.
package main

/*
#include <apikeys.h>
#include <stdlib.h>

extern void onEvent(apikeys_event *event, void *user_data);
extern void onDestroy(void *user_data);
*/
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"
)

const rounds = 100_000

var (
	codes     = map[string]C.int{}
	err       = C.apikeys_error_new()
	types     []string
	destroyed int
	token     = C.malloc(1) // C memory: cgo lends no Go pointer beyond a call
)

//export onEvent
func onEvent(event *C.apikeys_event, _ unsafe.Pointer) {
	var n C.size_t
	types = append(types, text(C.apikeys_event_type(event, &n), n))
}

//export onDestroy
func onDestroy(data unsafe.Pointer) {
	if data == token {
		destroyed++
	}
}

// text copies lent text, whose end two witnesses must agree on.
func text(lent *C.char, length C.size_t) string {
	copied := C.GoStringN(lent, C.int(length))
	must(copied == C.GoString(lent), "length and terminator disagree")
	return copied
}

// in lends a Go string for the duration of a call.
func in(s string) (*C.char, C.size_t) {
	bytes := append([]byte(s), 0)
	return (*C.char)(unsafe.Pointer(&bytes[0])), C.size_t(len(s))
}

func must(good bool, what string) {
	if !good {
		panic(what)
	}
}

func expect(name string, rc C.int) {
	code, known := codes[name]
	must(known, name)
	must(rc == code, fmt.Sprintf("%s expected, not %d: %s", name, rc,
		C.GoString(C.apikeys_error_message(err))))
}

func expectAt(name string, rc C.int, field, subject string) {
	expect(name, rc)
	found := C.GoString(C.apikeys_error_field(err))
	must(field == "" || found == field, "field: "+found)
	found = C.GoString(C.apikeys_error_subject(err))
	must(subject == "" || found == subject, "subject: "+found)
	must(C.GoString(C.apikeys_error_message(err)) != "", "no message")
}

func open(path string) (*C.apikeys_env, C.int) {
	var env *C.apikeys_env
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	rc := C.apikeys_open_sqlite(&env, name, nil, err)
	return env, rc
}

func newSpec(organization, name string, permissions ...string) *C.apikeys_key_spec {
	spec := C.apikeys_key_spec_new()
	p, n := in(organization)
	C.apikeys_key_spec_set_organization(spec, p, n)
	p, n = in(name)
	C.apikeys_key_spec_set_name(spec, p, n)
	for _, permission := range permissions {
		p, n = in(permission)
		C.apikeys_key_spec_add_permission(spec, p, n)
	}
	return spec
}

func createKey(env *C.apikeys_env, actor *C.apikeys_actor, spec *C.apikeys_key_spec,
	key *C.apikeys_key) (string, C.int) {
	var value [C.APIKEYS_VALUE_MAX]C.char
	var n C.size_t
	rc := C.apikeys_key_create(env, actor, spec, key, &value[0], C.size_t(len(value)), &n, err)
	return C.GoStringN(&value[0], C.int(n)), rc
}

func validate(env *C.apikeys_env, value string, need *C.apikeys_requirement,
	key *C.apikeys_key) C.int {
	p, n := in(value)
	return C.apikeys_validate(env, p, n, need, nil, key, err)
}

func require(slug string) *C.apikeys_requirement {
	need := C.apikeys_requirement_new()
	p, n := in(slug)
	expect("OK", C.apikeys_requirement_add_permission(need, p, n))
	return need
}

func newOrganization(env *C.apikeys_env, system *C.apikeys_actor, name string) string {
	organization := C.apikeys_organization_new()
	defer C.apikeys_organization_free(organization)
	p, n := in(name)
	C.apikeys_organization_set_name(organization, p, n)
	expect("OK", C.apikeys_organization_create(env, system, organization, err))
	must(text(C.apikeys_organization_name(organization, &n), n) == name, "name")
	return text(C.apikeys_organization_id(organization, &n), n)
}

func newPermission(env *C.apikeys_env, system *C.apikeys_actor, slug string, available C.int) {
	permission := C.apikeys_permission_new()
	defer C.apikeys_permission_free(permission)
	p, n := in(slug)
	C.apikeys_permission_set_slug(permission, p, n)
	C.apikeys_permission_set_name(permission, p, n)
	C.apikeys_permission_set_available_to_organization_keys(permission, available)
	expect("OK", C.apikeys_permission_create(env, system, permission, err))
}

func newMember(env *C.apikeys_env, system *C.apikeys_actor, organization, user, role string) {
	member := C.apikeys_member_new()
	defer C.apikeys_member_free(member)
	p, n := in(organization)
	C.apikeys_member_set_organization_id(member, p, n)
	p, n = in(user)
	C.apikeys_member_set_user_id(member, p, n)
	p, n = in(role)
	C.apikeys_member_add_role(member, p, n)
	expect("OK", C.apikeys_member_create(env, system, member, err))
}

func makeWorld(env *C.apikeys_env, system *C.apikeys_actor) string {
	newPermission(env, system, "posts:read", 1)
	newPermission(env, system, "posts:write", 1)
	newPermission(env, system, "posts:purge", 0)
	role := C.apikeys_role_new()
	defer C.apikeys_role_free(role)
	p, n := in("developer")
	C.apikeys_role_set_slug(role, p, n)
	C.apikeys_role_set_name(role, p, n)
	p, n = in("widgets:api-keys:manage")
	C.apikeys_role_add_permission(role, p, n)
	expect("OK", C.apikeys_role_create(env, system, role, err))
	acme := newOrganization(env, system, "Acmé")
	newMember(env, system, acme, "ada", "developer")
	newMember(env, system, acme, "bob", "member")
	return acme
}

func memberActor(organization, user string) *C.apikeys_actor {
	actor := C.apikeys_actor_new()
	p, n := in(organization)
	q, m := in(user)
	expect("OK", C.apikeys_actor_set_member(actor, p, n, q, m))
	return actor
}

func refusedCreations(env *C.apikeys_env, acme string) {
	key := C.apikeys_key_new()
	defer C.apikeys_key_free(key)
	for _, c := range []struct {
		result, user, organization, name, permission, field, subject string
	}{
		{"ERROR_INVALID_ARGUMENT", "ada", acme, "a\ab", "", "name", ""},
		{"ERROR_INVALID_ARGUMENT", "ada", acme, "\xff", "", "name", ""},
		{"ERROR_INVALID_ARGUMENT", "ada", acme, strings.Repeat("n", 256), "", "name", ""},
		{"ERROR_UNKNOWN_PERMISSION", "ada", acme, "n", "no:such", "", "no:such"},
		{"ERROR_PERMISSION_NOT_AVAILABLE", "ada", acme, "n", "posts:purge", "", "posts:purge"},
		{"ERROR_NOT_FOUND", "ada", "org_" + strings.Repeat("0", 26), "n", "", "", ""},
		{"ERROR_NOT_ALLOWED", "bob", acme, "n", "", "", ""},
		{"ERROR_ACTOR_UNKNOWN", "eve", acme, "n", "", "", ""},
	} {
		spec := newSpec(c.organization, c.name)
		if c.permission != "" {
			p, n := in(c.permission)
			C.apikeys_key_spec_add_permission(spec, p, n)
		}
		actor := memberActor(acme, c.user)
		value, rc := createKey(env, actor, spec, key)
		expectAt(c.result, rc, c.field, c.subject)
		must(value == "", "an output was touched on failure")
		C.apikeys_actor_free(actor)
		C.apikeys_key_spec_free(spec)
	}
}

func pageThrough(env *C.apikeys_env, ada *C.apikeys_actor, acme string) {
	filter, page := C.apikeys_filter_new(), C.apikeys_page_new()
	defer C.apikeys_filter_free(filter)
	defer C.apikeys_page_free(page)
	p, n := in(acme)
	C.apikeys_filter_set_organization_id(filter, p, n)
	C.apikeys_filter_set_limit(filter, 2)
	names, cursor := "", ""
	for {
		p, n = in(cursor)
		expect("OK", C.apikeys_filter_set_after(filter, p, n))
		expect("OK", C.apikeys_key_list(env, ada, filter, page, err))
		for i := C.size_t(0); i < C.apikeys_page_count(page); i++ {
			names += text(C.apikeys_key_name(C.apikeys_page_key(page, i), &n), n)
		}
		if cursor = text(C.apikeys_page_after(page, &n), n); cursor == "" {
			break
		}
	}
	must(names == "k4k3k2k1k0", names)
	must(C.apikeys_page_key(page, 99) == nil, "a key beyond the count")
	p, n = in("api_key_" + strings.Repeat("0", 26))
	C.apikeys_filter_set_after(filter, p, n)
	expect("ERROR_CURSOR_UNKNOWN", C.apikeys_key_list(env, ada, filter, page, err))
}

func mainJob(env *C.apikeys_env, ada *C.apikeys_actor, acme string) {
	spec, key := newSpec(acme, "k0", "posts:read"), C.apikeys_key_new()
	value, rc := createKey(env, ada, spec, key)
	expect("OK", rc)
	var n C.size_t
	id := text(C.apikeys_key_id(key, &n), n)
	reads, writes := require("posts:read"), require("posts:write")
	expect("OK", validate(env, value, reads, key))
	must(text(C.apikeys_key_permissions(key, &n), n) == "posts:read", "permissions")
	expectAt("NOT_PERMITTED", validate(env, value, writes, nil), "", "posts:write")
	expect("MALFORMED", validate(env, value[1:], nil, nil))
	p, n := in("Bearer " + value)
	expect("OK", C.apikeys_validate_authorization(env, p, n, reads, nil, nil, err))
	for i := 1; i < 5; i++ {
		p, n = in(fmt.Sprintf("k%d", i))
		C.apikeys_key_spec_set_name(spec, p, n)
		_, rc = createKey(env, ada, spec, key)
		expect("OK", rc)
	}
	pageThrough(env, ada, acme)
	p, n = in(id)
	why, m := in("leaked")
	expect("OK", C.apikeys_key_revoke(env, ada, p, n, why, m, key, err))
	expect("REVOKED", validate(env, value, reads, nil))
	must(C.apikeys_result_status(codes["REVOKED"]) == 401, "status")
	expect("ERROR_ALREADY_REVOKED", C.apikeys_key_revoke(env, ada, p, n, nil, 0, key, err))
	must(text(C.apikeys_key_revoked_reason(key, &n), n) == "leaked", "reason")
	p, n = in("api_key_" + strings.Repeat("0", 26))
	expect("ERROR_NOT_FOUND", C.apikeys_key_get(env, ada, p, n, key, err))
	C.apikeys_requirement_free(writes)
	C.apikeys_requirement_free(reads)
	C.apikeys_key_spec_free(spec)
	C.apikeys_key_free(key)
}

func anotherEnvironmentsKey(env *C.apikeys_env, system *C.apikeys_actor, folder string) {
	other, rc := open(filepath.Join(folder, "other.db"))
	expect("OK", rc)
	spec, key := newSpec(newOrganization(other, system, "Other"), "o"), C.apikeys_key_new()
	value, rc := createKey(other, system, spec, key)
	expect("OK", rc)
	expect("UNKNOWN", validate(env, value, nil, nil))
	C.apikeys_close(other)
	var n C.size_t
	must(text(C.apikeys_key_name(key, &n), n) == "o", "objects outlive their environment")
	C.apikeys_key_free(key)
	C.apikeys_key_spec_free(spec)
}

func residentKiB() int {
	var size, resident int
	statm, failed := os.ReadFile("/proc/self/statm")
	must(failed == nil, "statm")
	fmt.Sscan(string(statm), &size, &resident)
	must(resident > 0, "statm")
	return resident * os.Getpagesize() / 1024
}

func manyRounds(env *C.apikeys_env, system *C.apikeys_actor, acme string) int {
	spec, made := newSpec(acme, "round", "posts:read"), C.apikeys_key_new()
	value, rc := createKey(env, system, spec, made)
	expect("OK", rc)
	some := func(count int) {
		for i := 0; i < count; i++ {
			key := C.apikeys_key_new()
			expect("OK", validate(env, value, nil, key))
			C.apikeys_key_free(key)
			if i%250 == 0 {
				_, rc := createKey(env, system, spec, made)
				expect("OK", rc)
				var n C.size_t
				p := C.apikeys_key_id(made, &n)
				expect("OK", C.apikeys_key_revoke(env, system, p, n, nil, 0, nil, err))
			}
		}
		runtime.GC()
	}
	some(rounds / 2)
	before := residentKiB()
	some(rounds)
	grown := residentKiB() - before
	must(grown <= 4096, fmt.Sprintf("%d KiB more after %d rounds", grown, rounds))
	C.apikeys_key_free(made)
	C.apikeys_key_spec_free(spec)
	return grown
}

func count(kind string) (n int) {
	for _, t := range types {
		if t == kind {
			n++
		}
	}
	return n
}

func main() {
	runtime.LockOSThread() // only so that the resident memory is of few threads
	for i := C.size_t(0); i < C.apikeys_result_count(); i++ {
		code := C.apikeys_result_at(i)
		codes[C.GoString(C.apikeys_result_name(code))] = code
	}
	folder, failed := os.MkdirTemp(os.Getenv("APIKEYS_SCRATCH_DIR"), "go")
	must(failed == nil, "scratch directory")
	defer os.RemoveAll(folder)
	_, rc := open(folder)
	expect("ERROR_CANNOT_OPEN", rc)
	_, rc = open("")
	expect("ERROR_INVALID_ARGUMENT", rc)
	env, rc := open(filepath.Join(folder, "keys.db"))
	expect("OK", rc)

	var subscription *C.apikeys_subscription
	expect("OK", C.apikeys_subscribe(env, C.apikeys_event_callback(C.onEvent), token,
		(*[0]byte)(C.onDestroy), &subscription, err))
	system := C.apikeys_actor_new()
	p, n := in("ffi test")
	expect("OK", C.apikeys_actor_set_system(system, p, n))
	acme := makeWorld(env, system)
	ada := memberActor(acme, "ada")
	refusedCreations(env, acme)
	mainJob(env, ada, acme)
	anotherEnvironmentsKey(env, system, folder)
	must(count("api_key.created") == 5 && count("api_key.revoked") == 1, "events")
	must(destroyed == 0, "destroyed early")
	C.apikeys_subscription_free(subscription)
	must(destroyed == 1, "destroyed once")

	grown := manyRounds(env, system, acme)
	C.apikeys_close(env)
	C.apikeys_actor_free(ada)
	C.apikeys_actor_free(system)
	fmt.Printf("go: all good, %d rounds, %d KiB more resident\n", rounds, grown)
}
