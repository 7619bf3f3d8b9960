import RingCore
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Makes the links between rank 0 and all others that the watchdogs use, and waits until everybody has come.
///
/// No rank may use the communicator before all can: so a rank that ends or stops during start-up is named by
/// rank 0, to all, and nobody waits for it in vain later.
enum ControlStar {
    /// The control links of this rank: to rank 0, or on rank 0 to all others.
    ///
    /// `lossCheck` is asked now and then whether the bootstrap knows of a rank that has ended, and throws if so.
    static func connect(
        rank: Rank, worldSize: Int, transport: any Transport, identifier: LinkIdentifier, deadline: Deadline,
        timeout: Duration, lossCheck: () throws -> Void
    ) throws -> [any Link] {
        rank == 0
            ? try gather(
                worldSize: worldSize, transport: transport, identifier: identifier, deadline: deadline,
                timeout: timeout, lossCheck: lossCheck)
            : try join(
                rank: rank, transport: transport, identifier: identifier, deadline: deadline, timeout: timeout
            )
    }

    private static func gather(
        worldSize: Int, transport: any Transport, identifier: LinkIdentifier, deadline: Deadline,
        timeout: Duration, lossCheck: () throws -> Void
    ) throws -> [any Link] {
        var ends: [ControlEnd] = []
        var missing = Array(1..<worldSize)
        do {
            while !missing.isEmpty {
                missing = try missing.filter { peer in
                    // Whoever dials is answered or refused, and must not give up halfway; whoever waits looks around.
                    let isPatient = transport.dials(peer)
                    let slice = isPatient ? deadline : min(deadline, .after(.milliseconds(250)))
                    do {
                        let link = try transport.link(to: peer, identifier, deadline: slice)
                        ends.append(ControlEnd(link: link, identifier: identifier))
                        return false
                    } catch let error as CollectiveError where error.code == .timedOut { return true }
                }
                if !missing.isEmpty { try lossCheck() }
                if let first = missing.first, deadline.hasPassed {
                    let names =
                        missing.count == 1
                        ? "rank \(first)"
                        : "ranks \(missing.prefix(8).map(String.init).joined(separator: ", "))"
                    throw CollectiveError(
                        .rendezvousFailed,
                        "\(names) of \(worldSize) did not connect to rank 0 within \(timeout.shortText) "
                            + "(process stopped, or network blocked)", peer: first)
                }
            }
        } catch {
            let failure =
                error as? CollectiveError ?? CollectiveError(.system, "rank 0 failed", peer: 0, cause: error)
            tell(ends, .verdict(Verdict(failure)))
            // Those who come a moment later would find nobody here and blame this rank.
            let grace = Deadline.after(.seconds(1))
            for peer in missing where peer != failure.peer {
                guard let link = try? transport.link(to: peer, identifier, deadline: grace) else { continue }
                tell([ControlEnd(link: link, identifier: identifier)], .verdict(Verdict(failure)))
            }
            throw failure
        }
        tell(ends, .ready)
        return ends.map(\.link)
    }

    /// Sends a first message, for which a new link always has room.
    private static func tell(_ ends: [ControlEnd], _ message: ControlMessage) {
        for end in ends {
            end.enqueue(message)
            end.flush()
        }
    }

    private static func join(
        rank: Rank, transport: any Transport, identifier: LinkIdentifier, deadline: Deadline,
        timeout: Duration
    ) throws -> [any Link] {
        let link: any Link
        do {
            link = try transport.link(to: 0, identifier, deadline: deadline)
        } catch let error as CollectiveError where error.code == .timedOut {
            throw CollectiveError(
                .rendezvousFailed, "rank 0 did not answer rank \(rank) within \(timeout.shortText)", peer: 0,
                cause: error)
        }
        let end = ControlEnd(link: link, identifier: identifier)
        // Rank 0 names whoever is missing at the deadline; its word needs a moment to arrive.
        let patience = deadline.advanced(by: .seconds(2))
        while true {
            switch try end.nextMessage() {
            case .ready?: return [link]
            case .verdict(let verdict)?: throw verdict.error
            case .some:
                throw CollectiveError(
                    .protocolViolation, "rank 0 sent an unexpected control message", peer: 0)
            case nil: break
            }
            if patience.hasPassed {
                throw CollectiveError(
                    .rendezvousFailed,
                    "rank 0 did not say within \(timeout.shortText) that all ranks have come (process stopped?)",
                    peer: 0)
            }
            guard let descriptor = link.prepareToWait(for: .receiving) else { continue }
            var descriptors = [descriptor]
            try SystemCall.poll(&descriptors, milliseconds: patience.remainingMilliseconds(atMost: 1000))
        }
    }
}
