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

    /// Sets what a connection must have from its start.
    static func apply(_ options: TCPOptions, identifier: LinkIdentifier, to socket: borrowing Socket)
        throws(SystemError)
    {
        try socket.setNoDelay()
        if identifier.channel == LinkIdentifier.controlChannel {
            try socket.setKeepAlive(seconds: 20)
            return
        }
        if let limit = options.unsentLimit {
            try socket.set(Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, limit)
        }
        if let size = options.socketBufferSize {
            try socket.set(SOL_SOCKET, SO_SNDBUF, size)
            try socket.set(SOL_SOCKET, SO_RCVBUF, size)
        }
    }

    /// Chooses the congestion control, once both ends have said who they are: how far they are apart is known then.
    static func setCongestionControl(
        _ options: TCPOptions, isSameHost: Bool, identifier: LinkIdentifier, of socket: borrowing Socket
    ) throws(SystemError) {
        guard identifier.channel != LinkIdentifier.controlChannel else { return }
        if let name = options.congestionControl {
            try socket.setCongestionControl(name)
        } else {
            guard try isSameHost ? true : isPacedNearby(socket) else { return }
            // A kernel without cubic is fine with its default.
            try? socket.setCongestionControl("cubic")
        }
    }

    /// The longest round trip within a site.
    private static let nearby = Duration.milliseconds(5)

    /// Whether the system's default is one of those that send at the rate that they have measured, and the other end is
    /// near. Ranks send in turns, so that too little is measured: over links of 1 Gbit/s 5 to 10 percent less than there is.
    private static func isPacedNearby(_ socket: borrowing Socket) throws(SystemError) -> Bool {
        guard try socket.congestionControl().hasPrefix("bbr") else { return false }
        return try socket.roundTrip() < nearby
    }
}
