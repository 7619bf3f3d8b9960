package import RingCore
import RingSystem

/// What transports that listen have in common: where the peers are, the links that they have made and nobody has taken yet,
/// and the communicators that need none any more. Any thread may call.
package final class LinkRegistry: Sendable {
    private let rank: Rank
    /// Where this rank listens.
    package let ownCard: AddressCard
    private let state = Monitor(State())

    private struct Key: Hashable {
        var peer: Rank
        var identifier: LinkIdentifier
    }

    private struct State {
        var cards: [AddressCard] = []
        var arrivals: [Key: any Link] = [:]
        var failure: CollectiveError?
        /// Communicators that have failed, or been closed, on this rank.
        var failures: [UInt32: CollectiveError] = [:]
        var retired: Set<UInt32> = []

        func failure(of communicator: UInt32) -> CollectiveError? { failure ?? failures[communicator] }
    }

    /// Creates the registry of a rank that listens there.
    package init(rank: Rank, ownCard: AddressCard) {
        self.rank = rank
        self.ownCard = ownCard
    }

    /// Takes note of where the ranks listen.
    ///
    /// Throws `.invalidConfiguration` for a card that makes no sense, or that `check` throws for; `kind` is what the
    /// addresses are of: `TCP`.
    package func meet(
        _ cards: [[UInt8]], kind: String, check: (Rank, AddressCard) throws -> Void = { _, _ in }
    ) throws {
        let parsed = try cards.enumerated().map { peer, bytes in
            guard let card = AddressCard(bytes) else {
                throw CollectiveError(
                    .invalidConfiguration,
                    "rank \(peer) published no \(kind) address: do all ranks use one transport?", peer: peer)
            }
            try check(peer, card)
            return card
        }
        state.withLock { $0.cards = parsed }
    }

    /// Whether a peer is known to be on this rank's host.
    package func isOnSameHost(_ peer: Rank) -> Bool {
        state.withLock { $0.cards.indices.contains(peer) && $0.cards[peer].host == ownCard.host }
    }

    /// Where a peer listens. Throws what ended the use that a communicator makes of the transport, if something did.
    package func card(of peer: Rank, for communicator: UInt32) throws -> AddressCard {
        try state.withLock { state in
            if let failure = state.failure(of: communicator) { throw failure }
            precondition(state.cards.indices.contains(peer), "a link was asked for before the ranks have met")
            return state.cards[peer]
        }
    }

    /// What ended the use that a communicator makes of the transport, if something did.
    package func failure(of communicator: UInt32) -> CollectiveError? {
        state.withLock { $0.failure(of: communicator) }
    }

    /// A peer has made a link. It ends at once if nobody can want it.
    package func admit(_ link: any Link, _ identifier: LinkIdentifier) {
        state.withLock(notifying: true) { state in
            let key = Key(peer: link.peer, identifier: identifier)
            let isWanted = state.failure == nil && !state.retired.contains(identifier.communicator)
            if isWanted, state.arrivals[key] == nil { state.arrivals[key] = link }
        }
    }

    /// Waits for the link that a peer makes.
    ///
    /// Throws what ended the use that the communicator makes of the transport, and `.timedOut`.
    package func take(from peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> any Link {
        let arrival = try state.wait(until: deadline) { state throws(CollectiveError) -> (any Link)? in
            if let failure = state.failure(of: identifier.communicator) { throw failure }
            return state.arrivals.removeValue(forKey: Key(peer: peer, identifier: identifier))
        }
        guard let arrival else {
            throw CollectiveError(
                .timedOut,
                "rank \(peer) did not connect to rank \(rank) at \(ownCard.address(for: identifier)) in time",
                peer: peer)
        }
        return arrival
    }

    /// Ends the use that a communicator (nil: any) makes of the transport. The first error stands.
    package func abort(_ error: CollectiveError, communicator: UInt32?) {
        state.withLock(notifying: true) { state in
            if let communicator {
                state.failures[communicator] = state.failures[communicator] ?? error
            } else {
                state.failure = state.failure ?? error
            }
        }
    }

    /// This rank has closed a communicator: what has arrived for it in vain ends here, and so will what comes.
    package func retire(communicator: UInt32) {
        // What is let go ends outside the lock.
        _ = state.withLock { state in
            state.retired.insert(communicator)
            let inVain = state.arrivals.filter { $0.key.identifier.communicator == communicator }
            for key in inVain.keys { state.arrivals[key] = nil }
            return inVain
        }
    }

    /// Ends all that has arrived in vain. After ``abort(_:communicator:)``.
    package func clear() {
        // What is let go ends outside the lock.
        _ = state.withLock { state in
            defer { state.arrivals = [:] }
            return state.arrivals
        }
    }
}

extension CollectiveError {
    /// What a rank says of a communicator that it has closed.
    package static func retired(rank: Rank) -> CollectiveError {
        CollectiveError(.closed, "rank \(rank) has closed that communicator", peer: rank)
    }

    /// What a rank says of a transport that it has shut down.
    package static func shutDown(rank: Rank) -> CollectiveError {
        CollectiveError(.closed, "rank \(rank)'s transport has been shut down", peer: rank)
    }
}
