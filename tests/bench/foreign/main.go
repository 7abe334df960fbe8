// SPDX-License-Identifier: MIT

// Calls from Go by cgo: an empty one, and a validation. Arguments: see run.sh.
package main

/*
#include <apikeys.h>
#include <stdlib.h>
#include <time.h>

static long long cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}
*/
import "C"

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"unsafe"
)

type row struct {
	Scenario string    `json:"scenario"`
	Group    string    `json:"group"`
	Name     string    `json:"name"`
	Keys     int       `json:"keys"`
	Unit     string    `json:"unit"`
	Median   float64   `json:"median"`
	Rounds   []float64 `json:"rounds"`
}

func fail(what string) {
	fmt.Fprintln(os.Stderr, what)
	os.Exit(1)
}

func readValues(path string) [][]byte {
	data, err := os.ReadFile(path)
	if err != nil {
		fail(err.Error())
	}
	var values [][]byte
	for at := 0; at < len(data) && len(values) < 1000; at += 64 {
		length := int(binary.LittleEndian.Uint16(data[at:]))
		values = append(values, data[at+2:at+2+length])
	}
	return values
}

func emit(what string, found []float64) {
	sorted := append([]float64(nil), found...)
	sort.Float64s(sorted)
	line, _ := json.Marshal(row{"foreign", "libapikeys", "Go, cgo: " + what, 1000, "ns",
		sorted[len(sorted)/2], found})
	fmt.Println(string(line))
}

func main() {
	store := os.Args[2]
	rounds, _ := strconv.Atoi(os.Args[3])
	calls, _ := strconv.Atoi(os.Args[4])
	runtime.LockOSThread()
	path := C.CString(store + "/keys.db")
	defer C.free(unsafe.Pointer(path))
	var env *C.apikeys_env
	if C.apikeys_open_sqlite(&env, path, nil, nil) != 0 {
		fail("cannot open the store")
	}
	key := C.apikeys_key_new()
	values := readValues(store + "/values")
	timeEmpty := func() float64 {
		begun := C.cpu_ns()
		for i := 0; i < calls; i++ {
			C.apikeys_value_max()
		}
		return float64(C.cpu_ns()-begun) / float64(calls)
	}
	timeValidations := func() float64 {
		wrong := C.int(0)
		begun := C.cpu_ns()
		for i := 0; i < calls; i++ {
			value := values[i%len(values)]
			wrong += C.apikeys_validate(env, (*C.char)(unsafe.Pointer(&value[0])),
				C.size_t(len(value)), nil, nil, key, nil)
		}
		if wrong != 0 {
			fail("wrong answers")
		}
		return float64(C.cpu_ns()-begun) / float64(calls)
	}
	timeValidations()
	var empty, validation []float64
	for i := 0; i < rounds; i++ {
		empty = append(empty, timeEmpty())
		validation = append(validation, timeValidations())
	}
	emit("empty call", empty)
	emit("validation", validation)
	C.apikeys_key_free(key)
	C.apikeys_close(env)
}
