#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A non-blocking TCP socket, closed with its last reference.
final class Socket: Sendable {
    private let descriptor: Descriptor

    var number: Int32 { descriptor.number }

    /// Opens a socket of this address family.
    init(family: Int32) throws {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = Descriptor(owning: try SystemCall.checked("socket") { socket(family, kind, 0) })
    }

    /// Takes over a non-blocking socket.
    init(owning number: Int32) {
        descriptor = Descriptor(owning: number)
    }

    /// Takes over a connection that `accept` returned.
    private init(accepted number: Int32) throws {
        descriptor = Descriptor(owning: number)
        try SystemCall.checked("fcntl") { fcntl(number, F_SETFD, FD_CLOEXEC) }
        try SystemCall.checked("fcntl") { fcntl(number, F_SETFL, O_NONBLOCK) }
    }

    /// Sets an integer option.
    func set(_ option: Int32, level: Int32, to value: Int32) throws {
        var value = value
        try SystemCall.checked("setsockopt") {
            setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// What connections of a store have in common: no delay for small frames, a probe now and then.
    func prepareForRequests() throws {
        try set(TCP_NODELAY, level: Int32(IPPROTO_TCP), to: 1)
        try set(SO_KEEPALIVE, level: SOL_SOCKET, to: 1)
    }

    /// Binds the address, beside others that do so and do not listen.
    func reserve(_ address: SocketAddress) throws {
        try set(SO_REUSEADDR, level: SOL_SOCKET, to: 1)
        try address.withPointer { pointer, length in
            _ = try SystemCall.checked("bind") { bind(number, pointer, length) }
        }
    }

    /// Starts listening at the address.
    ///
    /// `SO_REUSEADDR` lets a job start while connections of the one before still linger, and lets a launcher
    /// keep the port reserved by a bound socket that does not listen.
    func listen(at address: SocketAddress) throws {
        if address.family == AF_INET6 && address.isWildcard {
            try set(IPV6_V6ONLY, level: Int32(IPPROTO_IPV6), to: 0)
        }
        try reserve(address)
        #if canImport(Glibc)
            try SystemCall.checked("listen") { Glibc.listen(number, 4096) }
        #else
            try SystemCall.checked("listen") { Musl.listen(number, 4096) }
        #endif
    }

    /// The next waiting connection, or nil when none waits.
    func acceptNext() throws -> Socket? {
        do {
            let accepted = try SystemCall.checked("accept") { accept(number, nil, nil) }
            return try Socket(accepted: accepted)
        } catch let error as SystemError where error.number == EAGAIN || error.number == EWOULDBLOCK {
            return nil
        }
    }

    /// Begins to connect. Returns whether the connection stands already.
    func beginConnecting(to address: SocketAddress) throws -> Bool {
        try address.withPointer { pointer, length in
            // An interrupted connect goes on by itself and must not be repeated.
            if connect(number, pointer, length) == 0 { return true }
            if errno == EINPROGRESS || errno == EINTR { return false }
            throw SystemError("connect")
        }
    }

    /// Throws the error of a connection attempt that has ended.
    func checkConnected() throws {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        try SystemCall.checked("getsockopt") { getsockopt(number, SOL_SOCKET, SO_ERROR, &value, &length) }
        if value != 0 { throw SystemError("connect", value) }
    }

    /// This end's address.
    func localAddress() throws -> SocketAddress {
        try SocketAddress(filledBy: "getsockname") { getsockname(number, $0, $1) }
    }

    /// The other end's address.
    func peerAddress() throws -> SocketAddress {
        try SocketAddress(filledBy: "getpeername") { getpeername(number, $0, $1) }
    }
}
