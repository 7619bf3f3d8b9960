import CRingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A non-blocking TCP socket with one owner.
package struct Socket: ~Copyable {
    private let descriptor: FileDescriptor

    private init(owning number: Int32) {
        descriptor = FileDescriptor(owning: number)
    }

    /// The system's number. It stays valid as long as this value lives.
    package var number: Int32 { descriptor.number }

    /// A socket that has an address and does not listen, beside others that do so; port 0 takes any free one.
    ///
    /// `SO_REUSEADDR` lets a listener start while connections of one before still linger, and beside a socket that
    /// only keeps its port. IPv6's wildcard takes IPv4 connections too.
    package static func bound(to address: SocketAddress) throws(SystemError) -> Socket {
        let socket = Socket(owning: try SystemCall.check("socket") { ring_socket_create(address.family) })
        try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
        if address.isIPv6 { try socket.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, address.isWildcard ? 0 : 1) }
        try SystemCall.check("bind") { address.withSystemAddress { bind(socket.number, $0, $1) } }
        return socket
    }

    /// A socket that listens on an address; port 0 takes any free one.
    package static func listening(on address: SocketAddress, backlog: Int32 = 1024) throws(SystemError)
        -> Socket
    {
        let socket = try bound(to: address)
        try SystemCall.check("listen") { listen(socket.number, backlog) }
        return socket
    }

    /// A socket on its way to an address, from `source` if given. It is connected, or has failed, once it is writable; see
    /// ``connectionError()``.
    package static func connecting(
        to address: SocketAddress, from source: SocketAddress? = nil
    ) throws(SystemError) -> Socket {
        let socket = Socket(owning: try SystemCall.check("socket") { ring_socket_create(address.family) })
        if let source {
            try SystemCall.check("bind") {
                source.withPort(0).withSystemAddress { bind(socket.number, $0, $1) }
            }
        }
        let status = address.withSystemAddress { connect(socket.number, $0, $1) }
        if status != 0, errno != EINPROGRESS, errno != EINTR { throw SystemError("connect") }
        return socket
    }

    /// The next connection that somebody made to this listening socket, with their address; nil if there is none.
    package func accept() throws(SystemError) -> AcceptedSocket? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        while true {
            let number = ring_socket_accept(self.number, &storage, &length)
            if number >= 0 {
                return AcceptedSocket(
                    socket: Socket(owning: number),
                    address: withUnsafeBytes(of: &storage) { SocketAddress($0.baseAddress!) })
            }
            switch errno {
            case EAGAIN, EWOULDBLOCK: return nil
            // The caller's connection ended before it was accepted: not this socket's failure.
            case EINTR, ECONNABORTED, EPROTO: continue
            default: throw SystemError("accept")
            }
        }
    }

    /// How a connection attempt ended: nil if well.
    package func connectionError() -> SystemError? {
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(self.number, SOL_SOCKET, SO_ERROR, &number, &length)
        return number == 0 ? nil : SystemError("connect", number)
    }

    /// The address of this end.
    package func localAddress() throws(SystemError) -> SocketAddress {
        try Self.address("getsockname") { getsockname(number, $0, $1) }
    }

    /// The address of the other end.
    package func peerAddress() throws(SystemError) -> SocketAddress {
        try Self.address("getpeername") { getpeername(number, $0, $1) }
    }

    private static func address(
        _ call: String, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try SystemCall.check(call) {
            withUnsafeMutablePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
            }
        }
        guard let address = withUnsafeBytes(of: &storage, { SocketAddress($0.baseAddress!) }) else {
            throw SystemError(call, EAFNOSUPPORT)
        }
        return address
    }

    /// Ends both directions. A thread that polls the socket wakes up; the descriptor stays until the owner lets go.
    package func shutDown() {
        _ = shutdown(number, Int32(SHUT_RDWR))
    }

    /// Sets an integer option.
    package func set(_ level: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        try SystemCall.check("setsockopt") {
            setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Sends small pieces at once, rather than waiting for more.
    package func setNoDelay() throws(SystemError) {
        try SystemCall.check("setsockopt(TCP_NODELAY)") { ring_socket_set_no_delay(number) }
    }

    /// Asks the system to notice a dead host behind an idle connection within about `seconds`.
    package func setKeepAlive(seconds: Int32) throws(SystemError) {
        try SystemCall.check("setsockopt(SO_KEEPALIVE)") { ring_socket_set_keep_alive(number, seconds) }
    }

    /// Chooses the congestion control for this connection.
    package func setCongestionControl(_ name: String) throws(SystemError) {
        try SystemCall.check("setsockopt(TCP_CONGESTION)") {
            ring_socket_set_congestion_control(number, name)
        }
    }

    /// The name of this connection's congestion control.
    package func congestionControl() throws(SystemError) -> String {
        var name = [CChar](repeating: 0, count: 32)
        try SystemCall.check("getsockopt(TCP_CONGESTION)") {
            ring_socket_get_congestion_control(number, &name, Int32(name.count))
        }
        return String(buffer: name)
    }

    /// The shortest round trip to the other end so far.
    package func roundTrip() throws(SystemError) -> Duration {
        .microseconds(try SystemCall.check("getsockopt(TCP_INFO)") { ring_socket_round_trip(number) })
    }
}

/// A connection that somebody made, and who.
package struct AcceptedSocket: ~Copyable {
    /// The connection.
    package let socket: Socket
    /// The other end's address, if it is an IP address.
    package let address: SocketAddress?

    /// Gives up the pair for the socket alone.
    package consuming func take() -> Socket { socket }
}
