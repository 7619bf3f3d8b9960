import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A plain TCP connection to somebody's listener, or from somebody to ours, without any manners.
final class Stranger {
    /// What came of waiting for bytes.
    enum Outcome: Equatable {
        case bytes([UInt8])
        /// The other end closed or reset the connection after these bytes.
        case ended([UInt8])
        /// Nothing more came.
        case silence([UInt8])
    }

    private let socket: Socket

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    /// Connects, and waits until the system has.
    convenience init(to address: SocketAddress) throws {
        self.init(try Socket.connecting(to: address))
        wait(POLLOUT, .after(.seconds(10)))
        if let error = socket.connectionError() { throw error }
    }

    func send(_ bytes: [UInt8]) throws {
        guard try socket.send(bytes[...]) == .done(bytes.count) else { throw SystemError("send", EAGAIN) }
    }

    func receive(_ count: Int, within time: Duration = .seconds(10)) -> Outcome {
        let deadline = Deadline.after(time)
        var bytes: [UInt8] = []
        while bytes.count < count {
            do {
                if let more = try socket.receive(atMost: count - bytes.count) {
                    if more.isEmpty { return .ended(bytes) }
                    bytes += more
                    continue
                }
            } catch { return .ended(bytes) }
            if deadline.hasPassed { return .silence(bytes) }
            wait(POLLIN, deadline)
        }
        return .bytes(bytes)
    }

    private func wait(_ events: Int32, _ deadline: Deadline) {
        var descriptors = [pollfd(fd: socket.number, events: Int16(events), revents: 0)]
        _ = try? SystemCall.poll(&descriptors, milliseconds: deadline.remainingMilliseconds())
    }
}

/// A listener that does with each connection what a test says, on a thread of its own.
final class FakeListener: Sendable {
    let address: SocketAddress
    private let stop: WakeUp

    /// `body` gets each connection in turn; what it does not hand back is closed.
    init(_ body: @escaping @Sendable (Stranger) -> Void) throws {
        let listener = Shared(try Socket.listening(on: SocketAddress(host: [127, 0, 0, 1], port: 0)))
        address = try listener.socket.localAddress()
        let stop = try WakeUp()
        self.stop = stop
        _ = try SystemThread(name: "fake-listener") {
            let end = Deadline.after(.seconds(60))
            while !end.hasPassed {
                var descriptors = [
                    pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: listener.socket.number, events: Int16(POLLIN), revents: 0),
                ]
                _ = try? SystemCall.poll(&descriptors, milliseconds: end.remainingMilliseconds())
                if descriptors[0].revents != 0 { return }
                if let accepted = try? listener.socket.accept() { body(Stranger(accepted.take())) }
            }
        }
    }

    deinit {
        stop.set()
    }

    // Used by the listener's thread alone once it has been started.
    private final class Shared: @unchecked Sendable {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }
}

/// The dialler's first message, put together from the description of the protocol alone.
struct WireHello {
    var magic = Array("RINGLINK".utf8)
    var version: UInt16 = 2
    var channel: UInt16 = 0
    var communicator: UInt32 = 0
    var epoch: UInt32 = 0
    var worldSize: UInt32 = 2
    var from: UInt32 = 1
    var to: UInt32 = 0
    var nonce = (0..<16).map { UInt8($0) }

    var bytes: [UInt8] {
        func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        return magic + little(version) + little(channel) + little(communicator) + little(epoch)
            + little(worldSize) + little(from) + little(to) + nonce
    }
}
