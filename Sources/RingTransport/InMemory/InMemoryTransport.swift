package import RingCore
import RingSystem

/// The endpoint of one rank on an ``InMemoryNetwork``: the transport for tests, with threads as ranks.
package final class InMemoryTransport: Transport {
    package let name = "memory"
    private let network: InMemoryNetwork
    private let rank: Rank

    init(network: InMemoryNetwork, rank: Rank) {
        self.network = network
        self.rank = rank
    }

    package var card: [UInt8] { Array("memory \(rank)".utf8) }

    package func meet(_ cards: [[UInt8]]) throws {
        for (peer, card) in cards.enumerated() where card != Array("memory \(peer)".utf8) {
            throw CollectiveError(
                .invalidConfiguration, "rank \(peer) published no in-memory address", peer: peer)
        }
    }

    package func link(to peer: Rank, _ identifier: LinkIdentifier, deadline: Deadline) throws -> any Link {
        precondition(
            peer != rank && (0..<network.worldSize).contains(peer), "a link from rank \(rank) to rank \(peer)"
        )
        let key = InMemoryNetwork.LinkKey(
            low: min(rank, peer), high: max(rank, peer), identifier: identifier)
        let stream =
            if dials(peer) {
                try dial(peer, key)
            } else {
                try accept(peer, key, deadline)
            }
        return StreamLink(peer: peer, stream: stream, bufferSize: network.capacity)
    }

    /// Makes a link and leaves the peer its half.
    private func dial(_ peer: Rank, _ key: InMemoryNetwork.LinkKey) throws -> InMemoryStream {
        try network.state.withLock(notifying: true) { state in
            try checkReachable(peer, key.identifier, state)
            let there = network.makePipe(from: rank, to: peer, channel: key.identifier.channel, &state)
            let back = network.makePipe(from: peer, to: rank, channel: key.identifier.channel, &state)
            state.halves[key] = try InMemoryStream(incoming: there, outgoing: back)
            state.linkCount += 1
            return try InMemoryStream(incoming: back, outgoing: there)
        }
    }

    /// Waits until the peer has left this rank's half of a link, and takes it.
    private func accept(
        _ peer: Rank, _ key: InMemoryNetwork.LinkKey, _ deadline: Deadline
    ) throws -> InMemoryStream {
        let half = try network.state.wait(until: deadline) { state -> InMemoryStream? in
            // What a peer sent before it left has arrived all the same.
            if let half = state.halves.removeValue(forKey: key) { return half }
            try checkReachable(peer, key.identifier, state)
            return nil
        }
        guard let half else {
            throw CollectiveError(
                .timedOut, "rank \(peer) did not connect to rank \(rank) in time", peer: peer)
        }
        return half
    }

    private func checkReachable(
        _ peer: Rank, _ identifier: LinkIdentifier, _ state: InMemoryNetwork.State
    ) throws {
        if let failure = state.failures[rank] { throw failure }
        if let failure = state.endings[member(rank, identifier.communicator)]?.failure { throw failure }
        let isRetired = state.endings[member(peer, identifier.communicator)]?.isRetired == true
        if isRetired || state.shutDown.contains(peer) {
            throw CollectiveError(
                .unreachable, "rank \(rank) cannot connect to rank \(peer): it has shut down", peer: peer)
        }
    }

    private func member(_ rank: Rank, _ communicator: UInt32) -> InMemoryNetwork.Member {
        InMemoryNetwork.Member(rank: rank, communicator: communicator)
    }

    package func dials(_ peer: Rank) -> Bool { rank > peer }

    package func abort(_ error: CollectiveError, communicator: UInt32?) {
        network.state.withLock(notifying: true) { state in
            if let communicator {
                let member = member(rank, communicator)
                let failure = state.endings[member]?.failure ?? error
                state.endings[member, default: InMemoryNetwork.Ending()].failure = failure
            } else {
                state.failures[rank] = state.failures[rank] ?? error
            }
        }
    }

    package func retire(communicator: UInt32) {
        abort(.retired(rank: rank), communicator: communicator)
        network.state.withLock(notifying: true) { state in
            state.endings[member(rank, communicator)]?.isRetired = true
            closeHalves(&state) { $0.communicator == communicator }
        }
    }

    /// Ends this rank's links that nobody has taken yet.
    private func closeHalves(
        _ state: inout InMemoryNetwork.State, where isConcerned: (LinkIdentifier) -> Bool
    ) {
        for (key, half) in state.halves where key.low == rank || key.high == rank {
            // It stays in its place, where whoever waits for it to be taken finds that it never will be.
            if isConcerned(key.identifier) { half.close() }
        }
    }

    package func shutdown() {
        network.state.withLock(notifying: true) { state in
            _ = state.shutDown.insert(rank)
            closeHalves(&state) { _ in true }
        }
        abort(.shutDown(rank: rank))
    }
}
