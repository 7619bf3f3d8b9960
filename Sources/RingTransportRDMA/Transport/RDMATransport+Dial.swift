package import RingCore
import RingSystem
import RingTransport

extension RDMATransport {
    /// Connects to a peer and proves who is calling.
    func dial(_ peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> RDMALink {
        let dial = reactor.beginDial(communicator: identifier.communicator)
        defer { reactor.endDial(dial) }
        // An abort from now on interrupts the dial.
        let target = try target(peer, identifier, deadline)
        let connectionIdentifier = try makeIdentifier(dial)
        try resolve(connectionIdentifier.handle, dial, target)
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
        let link = Self.makeLink(peer, "\(target.address)", connection, identifier, reactor, options)
        // What has come between is no longer looked for in the dial.
        if dial.hasEnded { connection.peerDisconnected() }
        return link
    }

    /// Tries whether a peer that this rank dials can be reached, and proves itself; throws why not.
    package func tryReaching(_ peer: Rank, deadline: Deadline) throws {
        let identifier = LinkIdentifier(channel: LinkIdentifier.trialChannel)
        let dial = reactor.beginDial(communicator: identifier.communicator)
        defer { reactor.endDial(dial) }
        let target = try target(peer, identifier, deadline)
        let connectionIdentifier = try makeIdentifier(dial)
        let handle = connectionIdentifier.handle
        try resolve(handle, dial, target)
        let request = request(target)
        try step(target) { () throws(SystemError) in
            try reactor.verbs.connect(handle, options.parameters(request.bytes, queueNumber: 0))
        }
        let event = try expect(.response, or: .rejected, dial, target)
        let answer = try checked(event, request, target).answer
        guard answer.verdict == .reachable else { throw refusal(answer, target) }
    }

    /// Whom a dial is for, and until when.
    private struct Target {
        var peer: Rank
        var address: SocketAddress
        var identifier: LinkIdentifier
        var deadline: Deadline

        /// The peer as errors name it.
        var text: String { "rank \(peer) (\(address))" }
    }

    private func target(_ peer: Rank, _ identifier: LinkIdentifier, _ deadline: Deadline) throws -> Target {
        Target(
            peer: peer,
            address: try registry.card(of: peer, for: identifier.communicator).address(for: identifier),
            identifier: identifier, deadline: deadline)
    }

    private func makeIdentifier(_ dial: RDMADial) throws -> ConnectionIdentifier {
        do {
            return try ConnectionIdentifier(
                reactor.verbs, channel: reactor.events.channel.handle, context: dial.context)
        } catch { throw RDMAErrors.setUp(.system(error), rank: rank) }
    }

    /// Finds the device and the route that lead to the peer.
    private func resolve(_ handle: VerbsHandle, _ dial: RDMADial, _ target: Target) throws {
        let address = target.address
        if let trafficClass = options.trafficClass {
            try step(target) { () throws(SystemError) in
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
        let request = request(target)
        try step(target) { () throws(SystemError) in
            try reactor.verbs.connect(
                connection.identifier, options.parameters(request.bytes, queueNumber: connection.queueNumber))
        }
        let event = try expect(.response, or: .rejected, dial, target)
        let (answer, answered) = try checked(event, request, target)
        guard let grant = answer.grant else { throw refusal(answer, target) }
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

    private func request(_ target: Target) -> RDMAHandshake.Request {
        RDMAHandshake.Request(
            hello: LinkHandshake.Hello(
                identifier: target.identifier, worldSize: worldSize, from: rank, to: target.peer,
                nonce: LinkHandshake.randomNonce()), mtu: options.mtu)
    }

    /// The answer in an event, whose sender has proved that it is of this job; and what its proof covers.
    private func checked(
        _ event: ConnectionEvent, _ request: RDMAHandshake.Request, _ target: Target
    ) throws -> (answer: RDMAHandshake.Answer, transcript: [UInt8]) {
        guard let answer = RDMAHandshake.Answer(event.data) else {
            if event.kind == .rejected { throw refusal(event, target) }
            throw CollectiveError(
                .protocolViolation, "\(target.text) is not a ring-collectives rank of this version",
                peer: target.peer)
        }
        let transcript = answer.transcript(request)
        guard authenticator.verify(answer.proof, label: LinkHandshake.listenerLabel, transcript: transcript)
        else {
            // A refusal that is not the peer's own says nothing else.
            if event.kind == .rejected, answer.proof.allSatisfy({ $0 == 0 }) { throw refusal(event, target) }
            throw CollectiveError(
                .authenticationFailed,
                "\(target.text) does not know this job's secret: is RING_JOB_SECRET the same on all ranks?",
                peer: target.peer)
        }
        return (answer, transcript)
    }

    private func refusal(_ answer: RDMAHandshake.Answer, _ target: Target) -> CollectiveError {
        CollectiveError(
            .rendezvousFailed, "\(target.text) refused rank \(rank): \(answer.verdict.reason)",
            peer: target.peer)
    }

    /// Waits for an event; throws what any other means.
    private func expect(
        _ kind: ConnectionEvent.Kind, or other: ConnectionEvent.Kind? = nil, _ dial: RDMADial,
        _ target: Target
    ) throws -> ConnectionEvent {
        do {
            let event = try dial.next(by: target.deadline)
            guard event.kind == kind || event.kind == other else { throw refusal(event, target) }
            return event
        } catch let failure as RDMADial.Failure {
            switch failure {
            case .interrupted:
                throw registry.failure(of: target.identifier.communicator) ?? .shutDown(rank: rank)
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
