import RingCore
import RingSystem
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct MonitorTests {
    @Test func returnsAtOnceWhatIsThere() {
        let monitor = Monitor(7)
        #expect(monitor.wait(until: .now) { $0 == 7 ? "seven" : nil } == "seven")
    }

    @Test func givesUpAtTheDeadline() {
        let monitor = Monitor(7)
        let deadline = Deadline.after(.milliseconds(20))
        #expect(monitor.wait(until: deadline) { $0 == 8 ? true : nil } == nil)
        #expect(deadline.hasPassed)
    }

    @Test func looksAgainWhenNotified() throws {
        let monitor = Monitor(0)
        let thread = try SystemThread(name: "counting") {
            for _ in 0..<100 { monitor.withLock(notifying: true) { $0 += 1 } }
        }
        #expect(monitor.wait(until: .after(.seconds(20))) { $0 == 100 ? $0 : nil } == 100)
        #expect(thread.join(until: .after(.seconds(20))))
    }

    @Test func wakesAllWhoWait() throws {
        let monitor = Monitor((isOpen: false, passed: 0))
        let threads = try (0..<4).map { index in
            try SystemThread(name: "waiting-\(index)") {
                let isOpen = monitor.wait(until: .after(.seconds(20))) { $0.isOpen ? true : nil }
                if isOpen == true { monitor.withLock(notifying: true) { $0.passed += 1 } }
            }
        }
        monitor.withLock(notifying: true) { $0.isOpen = true }
        for thread in threads { #expect(thread.join(until: .after(.seconds(20)))) }
        #expect(monitor.withLock { $0.passed } == 4)
    }

    @Test func keepsItsDeadlineWhileOthersNotify() throws {
        let monitor = Monitor(0)
        let stop = Monitor(false)
        let thread = try SystemThread(name: "notifying") {
            let limit = Deadline.after(.seconds(20))
            while !stop.withLock({ $0 }), !limit.hasPassed { monitor.withLock(notifying: true) { $0 += 1 } }
        }
        #expect(monitor.wait(until: .after(.milliseconds(30))) { $0 < 0 ? true : nil } == nil)
        stop.withLock { $0 = true }
        #expect(thread.join(until: .after(.seconds(20))))
    }

    @Test func passesErrorsOn() {
        struct Refusal: Error {}
        let monitor = Monitor(0)
        #expect(throws: Refusal.self) { try monitor.withLock { _ throws(Refusal) in throw Refusal() } }
        #expect(throws: Refusal.self) {
            _ = try monitor.wait(until: .after(.seconds(20))) { _ -> Bool? in throw Refusal() }
        }
        // The lock is free again.
        #expect(monitor.withLock { $0 } == 0)
    }

    @Test func waitsForDeadlinesFarAway() throws {
        let monitor = Monitor(false)
        _ = try SystemThread(name: "setting") { monitor.withLock(notifying: true) { $0 = true } }
        #expect(monitor.wait(until: .after(.seconds(Int64.max))) { $0 ? true : nil } == true)
    }
}

@Suite struct WakeUpTests {
    private static func isSet(_ wakeUp: WakeUp, milliseconds: Int32 = 0) throws -> Bool {
        var descriptors = [pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)]
        return try SystemCall.poll(&descriptors, milliseconds: milliseconds) == 1
    }

    @Test func staysSetUntilReset() throws {
        let wakeUp = try WakeUp()
        #expect(try !Self.isSet(wakeUp))
        wakeUp.reset()
        #expect(try !Self.isSet(wakeUp))
        for _ in 0..<3 { wakeUp.set() }
        #expect(try Self.isSet(wakeUp))
        #expect(try Self.isSet(wakeUp))
        wakeUp.reset()
        #expect(try !Self.isSet(wakeUp))
    }

    @Test func wakesAnotherThread() throws {
        let wakeUp = try WakeUp()
        let thread = try SystemThread(name: "setting") { wakeUp.set() }
        #expect(try Self.isSet(wakeUp, milliseconds: 20_000))
        #expect(thread.join(until: .after(.seconds(20))))
    }
}

@Suite struct SystemThreadTests {
    @Test func joinWaitsForTheEnd() throws {
        let gate = Monitor(false)
        let thread = try SystemThread(name: "a name longer than fifteen bytes") {
            _ = gate.wait(until: .after(.seconds(20))) { $0 ? true : nil }
        }
        #expect(!thread.join(until: .after(.milliseconds(10))))
        gate.withLock(notifying: true) { $0 = true }
        #expect(thread.join(until: .after(.seconds(20))))
        #expect(thread.join(until: .now))
    }

    @Test func hasItsName() throws {
        let name = Monitor<[CChar]?>(nil)
        _ = try SystemThread(name: "ring-test-thread-7") {
            var buffer = [CChar](repeating: 0, count: 32)
            guard let file = fopen("/proc/thread-self/comm", "r") else { return }
            defer { fclose(file) }
            guard fgets(&buffer, Int32(buffer.count), file) != nil else { return }
            name.withLock(notifying: true) { $0 = buffer }
        }
        let bytes = try #require(name.wait(until: .after(.seconds(20))) { $0 })
        let text = String(decoding: bytes.prefix { $0 > 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(text == "ring-test-threa")
    }

    @Test func takesNoSignals() throws {
        let taken = Monitor<[Int32]?>(nil)
        _ = try SystemThread(name: "signals") {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            let open = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD].filter { sigismember(&mask, $0) != 1 }
            taken.withLock(notifying: true) { $0 = open }
        }
        #expect(taken.wait(until: .after(.seconds(20))) { $0 } == [])
    }

    @Test func letsGoOfItsBody() throws {
        final class Witness: Sendable {}
        weak var witness: Witness?
        do {
            let strong = Witness()
            witness = strong
            let thread = try SystemThread(name: "holding") { [strong] in _ = strong }
            #expect(thread.join(until: .after(.seconds(20))))
        }
        #expect(witness == nil)
    }
}

@Suite struct SystemCallTests {
    @Test func failuresSayWhichCall() {
        let error = #expect(throws: SystemError.self) { try SystemCall.check("close") { close(-1) } }
        #expect(error == SystemError("close", EBADF))
        #expect(error.map { "\($0)" } == "close: bad file descriptor")
    }

    @Test func interruptedCallsAreMadeAgain() throws {
        var attempts = 0
        let value = try SystemCall.check("made up") { () -> Int32 in
            attempts += 1
            errno = EINTR
            return attempts < 3 ? -1 : 42
        }
        #expect(value == 42)
        #expect(attempts == 3)
    }

    @Test func wouldBlockIsAValue() throws {
        var attempts = 0
        let result = try SystemCall.nonBlocking("made up") {
            attempts += 1
            errno = attempts == 1 ? EINTR : EAGAIN
            return -1
        }
        #expect(result == .wouldBlock)
        #expect(try SystemCall.nonBlocking("made up") { 3 } == .done(3))
        #expect(throws: SystemError("made up", EPIPE)) {
            try SystemCall.nonBlocking("made up") {
                errno = EPIPE
                return -1
            }
        }
    }

    @Test func thereIsAProcessor() {
        #expect(Processors.available >= 1)
    }
}

@Suite struct FileDescriptorTests {
    @Test(arguments: [0, 1, 16_384, 16_385, 70_000])
    func readsWhatWasWritten(_ count: Int) throws {
        var template = Array("/tmp/ring-test-XXXXXX".utf8CString)
        let file = FileDescriptor(owning: mkstemp(&template))
        let path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try file.write(bytes)
        #expect(try FileDescriptor.open(path).contents(atMost: .max) == bytes)
        #expect(try FileDescriptor.open(path).contents(atMost: count) == bytes)
        #expect(try FileDescriptor.open(path).contents(atMost: count / 2) == Array(bytes[..<(count / 2)]))
    }

    @Test func saysWhyAFileDoesNotOpen() {
        let error = #expect(throws: SystemError.self) { _ = try FileDescriptor.open("/no/such/file").number }
        #expect(error == SystemError("open", ENOENT))
        #expect(error?.reason == "no such file or directory")
    }
}
