// Package tap holds what the clients for Go share: cases that are sentences, as TAP; a broker
// that can be stopped between them; and waiting.
package tap

import (
	"bufio"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"
)

// Address is the broker's.
var Address = os.Args[1]

const limit = 100 * time.Second

type oneCase struct {
	name string
	run  func()
}

var (
	cases []oneCase
	input = bufio.NewReader(os.Stdin)
)

// Test adds a case; it fails by a panic.
func Test(name string, run func()) { cases = append(cases, oneCase{name, run}) }

// Broker has it killed (crash) or stopped in order (restart), and started again.
func Broker(order string) {
	fmt.Println("broker", order)
	line, err := input.ReadString('\n')
	Check(err)
	Equal(line, "up\n")
}

// Check panics with an error.
func Check(err error) {
	if err != nil {
		panic(err)
	}
}

// Must returns the value of a call that must succeed.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Equal panics when the values differ.
func Equal(got, wanted any) {
	if !reflect.DeepEqual(got, wanted) {
		panic(fmt.Sprintf("got %#v, wanted %#v", got, wanted))
	}
}

// Until waits for a condition that something else brings about.
func Until(isTrue func() bool, what func() any) {
	for deadline := time.Now().Add(limit); !isTrue(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			panic(fmt.Sprintf("not after %v: %v", limit, what()))
		}
	}
}

// Numbered gives v0, v1, …
func Numbered(count int) []string {
	values := make([]string, count)
	for i := range values {
		values[i] = fmt.Sprintf("v%d", i)
	}
	return values
}

func play(run func()) (failure any) {
	defer func() { failure = recover() }()
	run()
	return nil
}

func chosen(name string) bool {
	for _, word := range os.Args[2:] {
		if strings.Contains(name, word) {
			return true
		}
	}
	return len(os.Args) == 2
}

// Main runs the cases that the words of the command line choose.
func Main() {
	var wanted []oneCase
	for _, one := range cases {
		if chosen(one.name) {
			wanted = append(wanted, one)
		}
	}
	fmt.Printf("1..%d\n", len(wanted))
	failed := 0
	for i, one := range wanted {
		outcome := "ok"
		if failure := play(one.run); failure != nil {
			outcome = "not ok"
			failed++
			fmt.Println("#", strings.ReplaceAll(fmt.Sprint(failure), "\n", "\n# "))
		}
		fmt.Printf("%s %d - %s\n", outcome, i+1, one.name)
	}
	if failed > 0 {
		os.Exit(1)
	}
}
