import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension TCPTransport {
    /// Connects to a peer and proves who is calling.
    func dial(
        _ peer: Rank, _ card: AddressCard, _ identifier: LinkIdentifier, interruption: WakeUp,
        deadline: Deadline
    ) throws -> StreamLink {
        let address = card.address(for: identifier)
        let source = options.interfaces.isEmpty ? nil : ownCard.address(for: identifier)
        let peerText = "rank \(peer) (\(address))"
        do {
            let connection = TCPConnection(
                try Socket.connecting(
                    to: address, from: source?.family == address.family ? source : nil),
                interruption: interruption)
            try TCPLinkOptions.apply(options, identifier: identifier, to: connection.socket)
            try connection.finishConnecting(by: deadline)
            // On one host, a connection to a port where nobody listens any more can happen to reach itself.
            if try connection.socket.localAddress() == address { throw SystemError("connect", ECONNREFUSED) }
            try introduce(connection, to: peer, peerText, identifier, deadline: deadline)
            try TCPLinkOptions.setCongestionControl(
                options, isSameHost: card.host == ownCard.host, identifier: identifier, of: connection.socket)
            return StreamLink(
                peer: peer, address: "\(address)", stream: TCPByteStream(connection.take()),
                bufferSize: options.pieceSize)
        } catch let failure as TCPConnection.Failure {
            throw error(failure, peer: peer, peerText, identifier)
        } catch let failure as SystemError {
            throw error(.system(failure), peer: peer, peerText, identifier)
        }
    }

    private func introduce(
        _ connection: borrowing TCPConnection, to peer: Rank, _ peerText: String,
        _ identifier: LinkIdentifier,
        deadline: Deadline
    ) throws {
        let hello = LinkHandshake.Hello(
            identifier: identifier, worldSize: worldSize, from: rank, to: peer,
            nonce: LinkHandshake.randomNonce()
        ).bytes
        try connection.send(hello, by: deadline)
        guard
            let reply = LinkHandshake.Reply(
                try connection.receive(LinkHandshake.Reply.byteCount, by: deadline)),
            // What answers a trial, of which there are none over TCP.
            reply.verdict != .reachable
        else {
            throw CollectiveError(
                .protocolViolation, "\(peerText) is not a ring-collectives rank of this version", peer: peer)
        }
        let transcript = LinkHandshake.transcript(hello: hello, verdict: reply.verdict, nonce: reply.nonce)
        guard authenticator.verify(reply.proof, label: LinkHandshake.listenerLabel, transcript: transcript)
        else {
            throw CollectiveError(
                .authenticationFailed,
                "\(peerText) does not know this job's secret: is RING_JOB_SECRET the same on all ranks?",
                peer: peer)
        }
        guard reply.verdict == .welcome else {
            throw CollectiveError(
                .rendezvousFailed, "\(peerText) refused rank \(rank): \(reply.verdict.reason)", peer: peer)
        }
        try connection.send(
            authenticator.proof(label: LinkHandshake.diallerLabel, transcript: transcript), by: deadline)
    }

    private func error(
        _ failure: TCPConnection.Failure, peer: Rank, _ peerText: String, _ identifier: LinkIdentifier
    ) -> CollectiveError {
        switch failure {
        case .interrupted:
            registry.failure(of: identifier.communicator) ?? .shutDown(rank: rank)
        case .timedOut:
            CollectiveError(
                .timedOut,
                "\(peerText) did not answer rank \(rank)'s connection in time: is the address reachable, "
                    + "or a firewall in between?", peer: peer)
        case .ended:
            CollectiveError(
                .peerLost, "\(peerText) closed a connection that rank \(rank) was making", peer: peer)
        case .system(let system):
            CollectiveError(
                .unreachable, "rank \(rank) cannot connect to \(peerText): \(system.reason)", peer: peer,
                cause: system)
        }
    }
}
