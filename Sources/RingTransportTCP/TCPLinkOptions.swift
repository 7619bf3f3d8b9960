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
    /// Sets it. Throws `.unsupported` naming the congestion control if one was asked for that the system lacks.
    static func apply(
        _ options: TCPOptions, isSameHost: Bool, identifier: LinkIdentifier, to socket: borrowing Socket
    ) throws {
        try socket.setNoDelay()
        if identifier.channel == LinkIdentifier.controlChannel {
            try socket.setKeepAlive(seconds: 20)
            return
        }
        if let name = options.congestionControl {
            do {
                try socket.setCongestionControl(name)
            } catch {
                throw CollectiveError(
                    .unsupported,
                    "this host has no TCP congestion control '\(name)' to offer: "
                        + "/proc/sys/net/ipv4/tcp_allowed_congestion_control lists them",
                    cause: error)
            }
        } else if isSameHost {
            // A kernel without cubic is fine with its default.
            try? socket.setCongestionControl("cubic")
        }
        if let size = options.socketBufferSize {
            try socket.set(SOL_SOCKET, SO_SNDBUF, size)
            try socket.set(SOL_SOCKET, SO_RCVBUF, size)
        }
    }
}
