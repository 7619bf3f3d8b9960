#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A system call that failed: which one, and the system's reason.
struct SystemError: Error, CustomStringConvertible {
    var call: String
    var number: Int32

    init(_ call: String, _ number: Int32 = errno) {
        self.call = call
        self.number = number
    }

    /// The system's words, in lower case as they stand within our sentences.
    var reason: String {
        let text = String(cString: strerror(number))
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    var description: String { "\(call): \(reason)" }
}

/// What a non-blocking read or write did.
enum Transfer: Equatable {
    /// So many bytes were moved; zero from a read is the end of the stream.
    case bytes(Int)
    /// Nothing can be moved now.
    case wouldBlock
}

/// The system calls of this module: interrupted ones are repeated, would-block is a value, all else throws.
enum SystemCall {
    /// Repeats `body` while it is interrupted, and throws what it failed with.
    @discardableResult
    static func checked<Result: BinaryInteger>(_ call: String, _ body: () -> Result) throws -> Result {
        while true {
            let result = body()
            if result >= 0 { return result }
            let number = errno
            if number != EINTR { throw SystemError(call, number) }
        }
    }

    private static func transfer(_ call: String, _ body: () -> Int) throws -> Transfer {
        do {
            return .bytes(try checked(call, body))
        } catch let error as SystemError where error.number == EAGAIN || error.number == EWOULDBLOCK {
            return .wouldBlock
        }
    }

    static func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws -> Transfer {
        try transfer("recv") { recv(descriptor, buffer.baseAddress, buffer.count, 0) }
    }

    static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        #if canImport(Glibc)
            try checked("read") { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
        #else
            try checked("read") { Musl.read(descriptor, buffer.baseAddress, buffer.count) }
        #endif
    }

    /// Sends without raising SIGPIPE when the peer has gone.
    static func send(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) throws -> Transfer {
        let flags = Int32(MSG_NOSIGNAL)
        #if canImport(Glibc)
            return try transfer("send") { Glibc.send(descriptor, buffer.baseAddress, buffer.count, flags) }
        #else
            return try transfer("send") { Musl.send(descriptor, buffer.baseAddress, buffer.count, flags) }
        #endif
    }

    /// Waits for events; an interruption counts as nothing having happened.
    static func poll(_ descriptors: inout [pollfd], milliseconds: Int32) throws {
        #if canImport(Glibc)
            let count = Glibc.poll(&descriptors, nfds_t(descriptors.count), milliseconds)
        #else
            let count = Musl.poll(&descriptors, nfds_t(descriptors.count), milliseconds)
        #endif
        if count < 0 {
            if errno != EINTR { throw SystemError("poll") }
            for index in descriptors.indices { descriptors[index].revents = 0 }
        }
    }
}

/// The owner of an open file descriptor, which closes it.
struct Descriptor: ~Copyable {
    let number: Int32

    init(owning number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }
}
