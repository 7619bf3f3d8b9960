#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#endif

/// A failed system call: which one, and the system's error number.
package struct SystemError: Error, Hashable, CustomStringConvertible {
    /// The call's name.
    package var call: String
    /// The system's `errno`.
    package var number: Int32

    /// Creates an error from a call's name and error number.
    package init(_ call: String, _ number: Int32 = errno) {
        self.call = call
        self.number = number
    }

    /// The system's words for the number, in lower case as they stand within our sentences.
    package var reason: String { withinSentence(String(cString: strerror(number))) }

    /// Whether nobody reads any more what was to be written.
    package var isClosedPipe: Bool { number == EPIPE }

    package var description: String { "\(call): \(reason)" }
}

/// What the system says, with the small letter that it begins with in the middle of a sentence.
func withinSentence(_ text: String) -> String { text.prefix(1).lowercased() + text.dropFirst() }

/// What a non-blocking system call came to.
package enum IOResult: Equatable {
    /// The call went through with this value.
    case done(Int)
    /// The call would have had to wait.
    case wouldBlock
}

/// Runs system calls: interrupted ones again, failed ones as typed errors.
package enum SystemCall {
    /// Runs a call that returns -1 on failure.
    @inline(__always) @discardableResult
    package static func check<Value: FixedWidthInteger>(
        _ name: @autoclosure () -> String, _ body: () -> Value
    ) throws(SystemError) -> Value {
        while true {
            let value = body()
            if value != -1 { return value }
            let number = errno
            if number != EINTR { throw SystemError(name(), number) }
        }
    }

    /// Runs a call that returns an error's number, 0 for none, as those of threads and `posix_spawn` do.
    package static func checkNumber(_ name: @autoclosure () -> String, _ number: Int32) throws(SystemError) {
        if number != 0 { throw SystemError(name(), number) }
    }

    /// Runs a non-blocking call: would-block is a value, not an error.
    @inline(__always)
    package static func nonBlocking(
        _ name: @autoclosure () -> String, _ body: () -> Int
    ) throws(SystemError) -> IOResult {
        while true {
            let value = body()
            if value >= 0 { return .done(value) }
            let number = errno
            if number == EAGAIN || number == EWOULDBLOCK { return .wouldBlock }
            if number != EINTR { throw SystemError(name(), number) }
        }
    }

    /// Waits for descriptors to be ready, at most `milliseconds`, and marks those that are; returns how many.
    ///
    /// An interrupted wait returns 0: the caller looks at its deadline and comes again.
    @discardableResult
    package static func poll(_ descriptors: inout [pollfd], milliseconds: Int32) throws(SystemError) -> Int {
        let count = systemPoll(&descriptors, nfds_t(descriptors.count), milliseconds)
        if count >= 0 { return Int(count) }
        if errno != EINTR { throw SystemError("poll") }
        for index in descriptors.indices { descriptors[index].revents = 0 }
        return 0
    }
}

// The system's function, under a name that the method above does not hide.
private func systemPoll(
    _ descriptors: UnsafeMutablePointer<pollfd>, _ count: nfds_t, _ milliseconds: Int32
) -> Int32 {
    poll(descriptors, count, milliseconds)
}
