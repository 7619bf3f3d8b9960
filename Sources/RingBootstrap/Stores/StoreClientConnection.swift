import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One connection of a TCP store's client: sends a request, then waits for the answer.
///
/// `@unchecked Sendable`: it belongs to one call at a time, which took it out of ``TCPStore``'s list of idle
/// connections; `interrupt` alone may be called beside that, and touches only the socket.
final class StoreClientConnection: @unchecked Sendable {
    var serverIdentity = ""

    private let socket: Socket
    private let connector: StoreConnector

    init(socket: consuming Socket, connector: StoreConnector) {
        self.socket = socket
        self.connector = connector
    }

    /// Ends whatever waits on this connection.
    func interrupt() {
        socket.shutDown()
    }

    /// Sends a framed request and returns the answer.
    func exchange(_ frame: [UInt8], by deadline: Deadline) throws -> StoreResponse {
        try send(frame, by: deadline)
        let body = try receiveFrame(by: deadline)
        do {
            return try StoreResponse(body: body)
        } catch {
            throw connector.violation(error)
        }
    }

    func send(_ bytes: [UInt8], by deadline: Deadline) throws {
        let time = deadline.remaining
        var sent = 0
        while sent < bytes.count {
            switch try transferring({ try socket.send(bytes[sent...]) }) {
            case .done(let count): sent += count
            case .wouldBlock: try wait(for: POLLOUT, by: deadline, time)
            }
        }
    }

    /// Receives exactly so many bytes.
    func receive(_ count: Int, by deadline: Deadline) throws -> [UInt8] {
        let time = deadline.remaining
        var bytes: [UInt8] = []
        while bytes.count < count {
            let wanted = min(count - bytes.count, 1 << 18)
            if let piece = try transferring({ try socket.receive(atMost: wanted) }) {
                if piece.isEmpty { throw connector.lost("closed the connection") }
                bytes += piece
            } else {
                try wait(for: POLLIN, by: deadline, time)
            }
        }
        return bytes
    }

    /// Receives a frame and returns its body.
    func receiveFrame(by deadline: Deadline) throws -> [UInt8] {
        let length = try receive(StoreFrame.headerBytes, by: deadline).reversed().reduce(0) {
            $0 << 8 | Int($1)
        }
        guard (1...StoreFrame.responseBytes).contains(length) else {
            throw connector.violation(WireError(description: "an answer of \(length) bytes"))
        }
        return try receive(length, by: deadline)
    }

    private func wait(for events: Int32, by deadline: Deadline, _ time: Duration) throws {
        var descriptors = [pollfd(fd: socket.number, events: Int16(events), revents: 0)]
        while try transferring({
            try SystemCall.poll(&descriptors, milliseconds: deadline.remainingMilliseconds())
        }) == 0 {
            if deadline.hasPassed { throw connector.silent(for: time) }
        }
    }

    /// Words what the system says of this connection.
    private func transferring<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as SystemError {
            throw connector.lost("closed the connection: \(error.reason)", cause: error)
        }
    }
}
