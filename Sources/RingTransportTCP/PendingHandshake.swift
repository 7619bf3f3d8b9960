import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The listener's side of a handshake that is under way, one message at a time.
final class PendingHandshake {
    /// What has come of it.
    enum State {
        case waiting
        case finished(LinkHandshake.Hello)
        case failed(String)
    }

    let source: String
    let deadline: Deadline
    private var socket: Socket?
    private var received: [UInt8] = []
    private var hello: LinkHandshake.Hello?
    private var transcript: [UInt8] = []

    init(_ socket: consuming Socket, source: String, deadline: Deadline) {
        self.socket = consume socket
        self.source = source
        self.deadline = deadline
    }

    var descriptor: Int32 {
        if let number = socket?.number { number } else { -1 }
    }

    /// Gives the socket away once the handshake has finished.
    func takeSocket() -> Socket? {
        socket.take()
    }

    /// Does what can be done without waiting.
    func advance(_ context: TCPAcceptor.Context) -> State {
        do {
            if hello == nil {
                guard try fill(LinkHandshake.Hello.byteCount) else { return .waiting }
                if let state = try answer(context) { return state }
            }
            guard let hello, try fill(LinkHandshake.proofLength) else { return .waiting }
            guard
                context.authenticator.verify(
                    received, label: LinkHandshake.diallerLabel, transcript: transcript)
            else { return .failed("it claims to be rank \(hello.from) but does not know the job's secret") }
            return .finished(hello)
        } catch { return .failed(error.reason) }
    }

    /// Answers the hello that has been received; nil if all is well so far.
    private func answer(_ context: TCPAcceptor.Context) throws(SystemError) -> State? {
        guard let hello = LinkHandshake.Hello(received) else {
            return .failed("it does not speak version \(LinkHandshake.version) of the link protocol")
        }
        var verdict = LinkHandshake.Verdict.welcome
        if hello.worldSize != UInt32(context.worldSize) { verdict = .wrongWorldSize }
        if hello.to != UInt32(context.rank) || hello.from >= UInt32(context.worldSize)
            || hello.from == hello.to
        {
            verdict = .wrongRank
        }
        let nonce = LinkHandshake.randomNonce()
        transcript = LinkHandshake.transcript(hello: received, verdict: verdict, nonce: nonce)
        let proof = context.authenticator.proof(label: LinkHandshake.listenerLabel, transcript: transcript)
        let reply = LinkHandshake.Reply(verdict: verdict, nonce: nonce, proof: proof).bytes
        // A new connection has room for so few bytes; if not, its peer is not one of ours.
        guard try socket?.send(reply[...]) == .done(reply.count) else {
            return .failed("it does not take an answer")
        }
        guard verdict == .welcome else { return .failed("it asks for rank \(hello.to): \(verdict.reason)") }
        received = []
        self.hello = hello
        return nil
    }

    /// Receives until `count` bytes are there; false if they are not yet.
    private func fill(_ count: Int) throws(SystemError) -> Bool {
        while received.count < count {
            guard let bytes = try socket?.receive(atMost: count - received.count) else { return false }
            if bytes.isEmpty { throw SystemError("recv", ECONNRESET) }
            received += bytes
        }
        return true
    }
}
