import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One connection of a TCP store's server: what came in and is not a whole message yet, what is still to go
/// out, and the wills left over it.
///
/// A client sends a request and waits for the answer; one that sends more before it has the answer breaks the
/// protocol. So neither buffer grows beyond one message.
final class StoreServerConnection {
    enum Received {
        case step(StoreHandshake.Server.Step)
        case request(StoreRequest)
        /// The client has closed the connection.
        case end
    }

    let socket: Socket
    var wills: [StoreWill] = []
    /// When the handshake, or the wait for keys, is over at the latest. It is set exactly during these.
    var deadline: Deadline?

    /// Nil once the client has proved itself.
    private var handshake: StoreHandshake.Server?
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private var sent = 0

    init(socket: consuming Socket, handshake: StoreHandshake.Server, deadline: Deadline) {
        self.socket = socket
        self.handshake = handshake
        self.deadline = deadline
    }

    var isUnproved: Bool { handshake != nil }
    var hasOutput: Bool { sent < output.count }

    /// What to poll for. While an answer is going out, nothing is read.
    var events: Int16 { Int16(hasOutput ? POLLOUT : POLLIN) }

    /// Takes bytes to send. They leave with `flush`.
    func send(_ bytes: [UInt8]) {
        if hasOutput {
            output += bytes
        } else {
            output = bytes
            sent = 0
        }
    }

    /// Sends what the socket takes.
    func flush() throws {
        while hasOutput {
            guard case .done(let count) = try socket.send(output[sent...]) else { return }
            sent += count
        }
        output = []
        sent = 0
    }

    /// Reads the next whole message; nil when it has not come yet.
    func receive() throws -> Received? {
        while !hasOutput {
            if let received = try takeMessage() { return received }
            let wanted = min(try messageBytes() - input.count, 65_536)
            guard let piece = try socket.receive(atMost: wanted) else { return nil }
            if piece.isEmpty { return .end }
            input += piece
            if !isUnproved && deadline != nil {
                throw WireError(description: "sent another request before it had its answer")
            }
        }
        return nil
    }

    /// The length of the message that is coming in, as far as it is known yet.
    private func messageBytes() throws -> Int {
        if let handshake { return handshake.nextBytes }
        guard input.count >= StoreFrame.headerBytes else { return StoreFrame.headerBytes }
        let length = input[..<StoreFrame.headerBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard (1...StoreFrame.requestBytes).contains(length) else {
            throw WireError(description: "announced a request of \(length) bytes, which none can have")
        }
        return StoreFrame.headerBytes + length
    }

    private func takeMessage() throws -> Received? {
        if var current = handshake {
            guard input.count == current.nextBytes else { return nil }
            let step = current.receive(input)
            input = []
            handshake = current
            if case .accept = step {
                handshake = nil
                deadline = nil
            }
            return .step(step)
        }
        guard input.count > StoreFrame.headerBytes, input.count == (try messageBytes()) else { return nil }
        let body = Array(input.dropFirst(StoreFrame.headerBytes))
        input = []
        do {
            return .request(try StoreRequest(body: body))
        } catch {
            throw WireError(description: "sent a malformed request: \(error)")
        }
    }
}
