import RingCore
import RingSystem
import RingTransport

extension RDMATransport {
    /// Connects to a peer and proves who is calling.
    func dial(_ peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> RDMALink {
        let dial = reactor.beginDial(communicator: identifier.communicator)
        defer { reactor.endDial(dial) }
        // An abort from now on interrupts the dial.
        let address = try card(of: peer, for: identifier.communicator).address(for: identifier)
        let peerText = "rank \(peer) (\(address))"
        let target = Target(peer: peer, text: peerText, identifier: identifier, deadline: deadline)
        let connectionIdentifier = try setUp { () throws(SystemError) in
            try ConnectionIdentifier(
                reactor.verbs, channel: reactor.events.channel.handle, context: dial.context)
        }
        try resolve(connectionIdentifier.handle, address, dial, target)

        let shape = options.shape(for: identifier)
        let connection: RDMAConnection
        do {
            connection = try reactor.makeConnection(
                connectionIdentifier, context: dial.context, shape: shape, path: options.path(peerMTU: nil),
                inlineBytes: options.inlineSize, expectingMessage: false)
        } catch { throw RDMAErrors.setUp(error, rank: rank) }
        do {
            try introduce(connection, dial, target)
        } catch {
            connection.abandon()
            throw error
        }
        let link = Self.makeLink(peer, "\(address)", connection, identifier, reactor)
        // What has come between is no longer looked for in the dial.
        if dial.hasEnded { connection.peerDisconnected() }
        return link
    }

    /// Whom a dial is for, and until when.
    private struct Target {
        var peer: Rank
        var text: String
        var identifier: LinkIdentifier
        var deadline: Deadline
    }

    /// Finds the device and the route that lead to the peer.
    private func resolve(
        _ handle: VerbsHandle, _ address: SocketAddress, _ dial: RDMADial, _ target: Target
    ) throws {
        if let trafficClass = options.trafficClass {
            try setUp { () throws(SystemError) in
                try reactor.verbs.setTrafficClass(trafficClass, of: handle)
            }
        }
        let own = ownCard.address(for: target.identifier)
        let source = own.family == address.family ? own.withPort(0) : nil
        let limit = target.deadline.remainingMilliseconds(atMost: 10_000)
        try step(target) { () throws(SystemError) in
            try reactor.verbs.resolveAddress(handle, from: source, to: address, milliseconds: limit)
        }
        _ = try expect(.addressResolved, dial, target)
        try step(target) { () throws(SystemError) in
            try reactor.verbs.resolveRoute(handle, milliseconds: limit)
        }
        _ = try expect(.routeResolved, dial, target)
    }

    /// Asks for the connection, checks the peer's proof and gives this rank's own.
    private func introduce(_ connection: RDMAConnection, _ dial: RDMADial, _ target: Target) throws {
        let request = RDMAHandshake.Request(
            hello: LinkHandshake.Hello(
                identifier: target.identifier, worldSize: worldSize, from: rank, to: target.peer,
                nonce: LinkHandshake.randomNonce()), mtu: options.mtu)
        try step(target) { () throws(SystemError) in
            try reactor.verbs.connect(
                connection.identifier, options.parameters(request.bytes, queueNumber: connection.queueNumber))
        }
        let event = try expect(.response, or: .rejected, dial, target)
        guard let answer = RDMAHandshake.Answer(event.data) else {
            if event.kind == .rejected { throw refusal(event, target) }
            throw CollectiveError(
                .protocolViolation, "\(target.text) is not a ring-collectives rank of this version",
                peer: target.peer)
        }
        let answered = answer.transcript(request)
        guard authenticator.verify(answer.proof, label: LinkHandshake.listenerLabel, transcript: answered)
        else {
            // A refusal that is not the peer's own says nothing else.
            if event.kind == .rejected { throw refusal(event, target) }
            throw CollectiveError(
                .authenticationFailed,
                "\(target.text) does not know this job's secret: is RING_JOB_SECRET the same on all ranks?",
                peer: target.peer)
        }
        guard answer.verdict == .welcome, let grant = answer.grant else {
            throw CollectiveError(
                .rendezvousFailed, "\(target.text) refused rank \(rank): \(answer.verdict.reason)",
                peer: target.peer)
        }
        guard connection.begin(writingTo: grant.ring) else {
            throw CollectiveError(
                .invalidConfiguration,
                "\(target.text) has rings of \(grant.ring.shape.slotCount) slots of \(grant.ring.shape.slotSize) "
                    + "bytes, rank \(rank) of \(connection.shape.slotCount) of \(connection.shape.slotSize): set "
                    + "them alike on all ranks", peer: target.peer)
        }
        try step(target) { () throws(SystemError) in
            _ = try connection.makeReady(options.path(peerMTU: Int(grant.mtu)))
            try reactor.verbs.establish(connection.identifier)
        }
        let proof = authenticator.proof(
            label: LinkHandshake.diallerLabel,
            transcript: RDMAHandshake.Confirmation.transcript(answered: answered, ring: connection.grant))
        do throws(RDMAFailure) {
            try connection.sendMessage(
                RDMAHandshake.Confirmation(proof: proof, ring: connection.grant).bytes)
        } catch { throw RDMAErrors.setUp(error, rank: rank, peer: target.peer, target.text) }
    }

    /// Waits for an event; throws what any other means.
    private func expect(
        _ kind: ConnectionEvent.Kind, or other: ConnectionEvent.Kind? = nil, _ dial: RDMADial, _ target: Target
    ) throws -> ConnectionEvent {
        do {
            let event = try dial.next(by: target.deadline)
            guard event.kind == kind || event.kind == other else { throw refusal(event, target) }
            return event
        } catch let failure as RDMADial.Failure {
            switch failure {
            case .interrupted:
                throw self.failure(of: target.identifier.communicator)
                    ?? CollectiveError(.closed, "rank \(rank)'s transport has been shut down", peer: rank)
            case .timedOut:
                throw CollectiveError(
                    .timedOut,
                    "\(target.text) did not answer rank \(rank)'s connection in time: is the address reachable over "
                        + "RDMA?", peer: target.peer)
            }
        }
    }

    private func refusal(_ event: ConnectionEvent, _ target: Target) -> CollectiveError {
        RDMAErrors.refusal(event, rank: rank, peer: target.peer, target.text)
    }

    /// Runs a call of this rank's own.
    private func setUp<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws -> Value {
        do {
            return try body()
        } catch { throw RDMAErrors.setUp(.system(error), rank: rank) }
    }

    /// Runs a call that concerns the peer.
    private func step(_ target: Target, _ body: () throws(SystemError) -> Void) throws {
        do {
            try body()
        } catch {
            throw CollectiveError(
                .unreachable, "rank \(rank) cannot connect to \(target.text): \(error)", peer: target.peer,
                cause: error)
        }
    }
}
