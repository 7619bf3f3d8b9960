import RingSystem

/// A port of this host's loopback interface that is kept free for a server which starts later.
///
/// The socket is bound and does not listen. Linux then gives the port neither to another program that asks
/// for any free port nor to an outgoing connection, while a server that names the port and sets
/// `SO_REUSEADDR`, as servers do and ours does, can bind it beside this socket. So between choosing the port
/// and serving on it nobody else can take it by chance.
package final class ReservedPort: Sendable {
    /// The port.
    package let port: UInt16

    private let socket: Socket

    /// Reserves a port of the system's choice until the object is gone.
    package init() throws {
        socket = try Socket.bound(to: .loopback(port: 0))
        port = try socket.localAddress().port
    }
}
