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
        let key = InMemoryNetwork.LinkKey(
            low: min(rank, peer), high: max(rank, peer), identifier: identifier)
        let stream = try network.state.withLock(notifying: true) { state -> InMemoryStream in
            if let failure = state.failures[rank] { throw failure }
            if state.shutDown.contains(peer) {
                throw CollectiveError(
                    .unreachable, "rank \(rank) cannot connect to rank \(peer): it has shut down", peer: peer)
            }
            if let half = state.halves.removeValue(forKey: key) { return half }
            let there = network.makePipe(from: rank, to: peer, &state)
            let back = network.makePipe(from: peer, to: rank, &state)
            state.halves[key] = try InMemoryStream(incoming: there, outgoing: back)
            state.linkCount += 1
            return try InMemoryStream(incoming: back, outgoing: there)
        }
        // As over TCP, the lower rank waits for the higher, so that tests meet the same errors.
        let met = try network.state.wait(until: rank < peer ? deadline : .now) { state -> Bool? in
            if let failure = state.failures[rank] { throw failure }
            return state.halves[key] == nil ? true : nil
        }
        if met == nil, rank < peer {
            network.state.withLock { _ = $0.halves.removeValue(forKey: key) }
            throw CollectiveError(
                .timedOut, "rank \(peer) did not connect to rank \(rank) in time", peer: peer)
        }
        return StreamLink(peer: peer, peerText: "rank \(peer)", stream: stream, bufferSize: network.capacity)
    }

    package func abort(_ error: CollectiveError) {
        network.state.withLock(notifying: true) { $0.failures[rank] = $0.failures[rank] ?? error }
    }

    package func shutdown() {
        network.state.withLock(notifying: true) { state in
            _ = state.shutDown.insert(rank)
            for (key, half) in state.halves where key.low == rank || key.high == rank {
                half.close()
                state.halves[key] = nil
            }
        }
        abort(CollectiveError(.closed, "rank \(rank)'s transport has been shut down", peer: rank))
    }
}
