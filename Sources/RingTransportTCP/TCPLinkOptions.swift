import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What is set on a connection's socket.
enum TCPLinkOptions {
    /// Tries on a listening socket whether the system has what the options ask for.
    ///
    /// Throws `.unsupported` naming the congestion control if it has not: on each rank before any rank connects, for
    /// a connection that is made later has an end that could tell nobody.
    static func check(_ options: TCPOptions, on socket: borrowing Socket, rank: Rank) throws {
        guard let name = options.congestionControl else { return }
        do {
            try socket.setCongestionControl(name)
        } catch {
            throw CollectiveError(
                .unsupported,
                "rank \(rank): this host has no TCP congestion control '\(name)' to offer; "
                    + "/proc/sys/net/ipv4/tcp_allowed_congestion_control lists those it has", peer: rank,
                cause: error)
        }
    }

    /// Sets it.
    static func apply(
        _ options: TCPOptions, isSameHost: Bool, identifier: LinkIdentifier, to socket: borrowing Socket
    ) throws(SystemError) {
        try socket.setNoDelay()
        if identifier.channel == LinkIdentifier.controlChannel {
            try socket.setKeepAlive(seconds: 20)
            return
        }
        if let name = options.congestionControl {
            try socket.setCongestionControl(name)
        } else if isSameHost {
            // A kernel without cubic is fine with its default.
            try? socket.setCongestionControl("cubic")
        }
        if let limit = options.unsentLimit {
            try socket.set(Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, limit)
        }
        if let size = options.socketBufferSize {
            try socket.set(SOL_SOCKET, SO_SNDBUF, size)
            try socket.set(SOL_SOCKET, SO_RCVBUF, size)
        }
    }
}
