import RingCore
import RingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A socket on which whole messages are exchanged before it becomes a link, with a deadline at each step.
struct TCPConnection: ~Copyable {
    let socket: Socket
    /// What ends a wait early when it becomes readable.
    let interruption: WakeUp

    /// Why the exchange ended.
    enum Failure: Error {
        case timedOut
        case interrupted
        case ended
        case system(SystemError)
    }

    init(_ socket: consuming Socket, interruption: WakeUp) {
        self.socket = socket
        self.interruption = interruption
    }

    consuming func take() -> Socket { socket }

    /// Waits until the connection is made.
    func finishConnecting(by deadline: Deadline) throws(Failure) {
        try wait(for: Int16(POLLOUT), by: deadline)
        if let error = socket.connectionError() { throw .system(error) }
    }

    func send(_ bytes: [UInt8], by deadline: Deadline) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            do {
                if case .done(let count) = try socket.send(bytes[sent...]) {
                    sent += count
                    continue
                }
            } catch { throw .system(error) }
            try wait(for: Int16(POLLOUT), by: deadline)
        }
    }

    func receive(_ count: Int, by deadline: Deadline) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let received: [UInt8]?
            do {
                received = try socket.receive(atMost: count - bytes.count)
            } catch { throw .system(error) }
            if let received {
                if received.isEmpty { throw .ended }
                bytes += received
            } else {
                try wait(for: Int16(POLLIN), by: deadline)
            }
        }
        return bytes
    }

    private func wait(for events: Int16, by deadline: Deadline) throws(Failure) {
        var descriptors = [
            pollfd(fd: socket.number, events: events, revents: 0),
            pollfd(fd: interruption.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            do {
                try SystemCall.poll(&descriptors, milliseconds: deadline.remainingMilliseconds())
            } catch { throw .system(error) }
            if descriptors[1].revents != 0 { throw .interrupted }
            if descriptors[0].revents != 0 { return }
            if deadline.hasPassed { throw .timedOut }
        }
    }
}
