import Logging
import RingCore
import RingSystem
import RingTransport

/// Answers the requests of other ranks.
struct RDMAAcceptor: Sendable {
    let reactor: RDMAReactor
    let options: RDMAOptions
    let rank: Rank
    let worldSize: Int
    let authenticator: any LinkAuthenticator
    let logger: Logger
    /// Is given each connection whose other end has proved itself. Runs on the reactor's thread.
    let arrived: @Sendable (LinkHandshake.Hello, RDMAConnection, _ source: String) -> Void

    /// Answers a request; nil if it is refused, or nothing can come of it.
    func answer(_ event: ConnectionEvent) -> RDMAPendingHandshake? {
        guard let handle = event.request else { return nil }
        let verbs = reactor.verbs
        let context = reactor.nextContext()
        let identifier = ConnectionIdentifier(verbs, request: handle, context: context)
        let source = verbs.peerAddress(of: handle)?.description ?? "an unknown address"
        guard let request = RDMAHandshake.Request(event.data) else {
            drop(source, "it does not speak version \(LinkHandshake.version) of the link protocol")
            return nil
        }
        let verdict = verdict(on: request.hello)
        guard verdict == .welcome else {
            refuse(handle, request, verdict)
            if verdict == .reachable { return nil }
            drop(source, "it asks for rank \(request.hello.to): \(verdict.reason)")
            return nil
        }
        do throws(PartsFailure) {
            let path = options.path(peerMTU: Int(request.mtu))
            let connection = try reactor.makeConnection(
                identifier, context: context, shape: options.shape(for: request.hello.identifier), path: path,
                inlineBytes: options.inlineSize, expectingMessage: true)
            let mtu = try PartsFailure.wrapping { () throws(SystemError) in try connection.makeReady(path) }
            return try accept(connection, request, mtu: mtu, source: source)
        } catch {
            // What goes unanswered is rejected by the system.
            drop(source, RDMAErrors.setUp(error, rank: rank).message)
            return nil
        }
    }

    private func verdict(on hello: LinkHandshake.Hello) -> LinkHandshake.Verdict {
        if hello.to != UInt32(rank) || hello.from >= UInt32(worldSize) || hello.from == hello.to {
            return .wrongRank
        }
        guard hello.worldSize == UInt32(worldSize) else { return .wrongWorldSize }
        return hello.identifier.channel == LinkIdentifier.trialChannel ? .reachable : .welcome
    }

    private func accept(
        _ connection: RDMAConnection, _ request: RDMAHandshake.Request, mtu: Int, source: String
    ) throws(PartsFailure) -> RDMAPendingHandshake {
        let grant = RDMAHandshake.Answer.Grant(ring: connection.grant, mtu: UInt16(mtu))
        let answer = answer(to: request, .welcome, grant)
        try PartsFailure.wrapping { () throws(SystemError) in
            try reactor.verbs.accept(
                connection.identifier, options.parameters(answer.bytes, queueNumber: connection.queueNumber))
        }
        return RDMAPendingHandshake(
            connection: connection, hello: request.hello, answered: answer.transcript(request),
            source: source, deadline: .after(options.handshakeTimeout))
    }

    private func answer(
        to request: RDMAHandshake.Request, _ verdict: LinkHandshake.Verdict,
        _ grant: RDMAHandshake.Answer.Grant?
    ) -> RDMAHandshake.Answer {
        var answer = RDMAHandshake.Answer(
            verdict: verdict, nonce: LinkHandshake.randomNonce(), grant: grant, proof: [])
        answer.proof = authenticator.proof(
            label: LinkHandshake.listenerLabel, transcript: answer.transcript(request))
        return answer
    }

    /// Says why not. Who cannot be told learns it from the end of the connection.
    private func refuse(
        _ identifier: VerbsHandle, _ request: RDMAHandshake.Request, _ verdict: LinkHandshake.Verdict
    ) {
        try? reactor.verbs.reject(identifier, answer(to: request, verdict, nil).bytes)
    }

    private func drop(_ source: String, _ reason: String) {
        logger.warning("dropped a connection from \(source): \(reason)")
    }
}
