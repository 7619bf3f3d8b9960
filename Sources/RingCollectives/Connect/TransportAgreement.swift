import Logging
import RingBootstrap
import RingCore
import RingTransport
import RingTransportRDMA

/// How the ranks of a job come to use one transport, all of them the same.
///
/// The best that all have is taken. Where that is RDMA and there is another besides, each rank first tries whether it can
/// connect to the others, and tells them in the store; one that cannot makes all take the other.
struct TransportAgreement {
    let configuration: Configuration
    let offers: TransportOffers
    /// By rank.
    let cards: [RankCard]
    let opened: OpenedStore
    let deadline: Deadline

    /// What a rank says that has reached all others.
    private static let success = "reached"
    /// How long trying may take.
    private static let trialTime: Duration = .seconds(10)

    /// The transport, which has met; the others are shut down. Rank 0 logs which, and why.
    func transport() throws -> any Transport {
        let common = offers.transports.filter { offer in
            cards.allSatisfy { $0.card(of: offer.name) != nil }
        }
        guard let best = common.first else { throw disagreement }
        for transport in common { try transport.meet(cards.map { $0.card(of: transport.name)! }) }
        var (chosen, reason) = (best, "")
        if let rdma = best as? RDMATransport, let other = common.dropFirst().first {
            if let obstacle = try tryAll(rdma) { (chosen, reason) = (other, obstacle) }
        } else if let lacking = cards.firstIndex(where: { !$0.lack.isEmpty }) {
            reason = cards[lacking].lack
        }
        offers.shutdown(except: chosen)
        if configuration.rank == 0, cards.contains(where: { $0.offers.count > 1 || !$0.lack.isEmpty }) {
            configuration.logger.info("transport \(chosen.name)\(reason.isEmpty ? "" : ": \(reason)")")
        }
        return chosen
    }

    /// Tries to reach all ranks, as all do; the first obstacle that a rank has met.
    private func tryAll(_ rdma: RDMATransport) throws -> String? {
        let limit = min(deadline, .after(Self.trialTime))
        var outcome = Self.success
        do {
            for peer in cards.indices where rdma.dials(peer) { try rdma.tryReaching(peer, deadline: limit) }
        } catch let error as CollectiveError {
            outcome = error.message
        }
        let outcomes = try opened.exchange(
            Array(outcome.utf8), on: occasion, rank: configuration.rank, worldSize: cards.count,
            deadline: deadline)
        return outcomes.lazy.map { String(decoding: $0, as: UTF8.self) }.first { $0 != Self.success }
    }

    /// What tells this job's ranks from those of one before: where they listen, in 64 bits (FNV-1a).
    private var occasion: UInt64 {
        cards.lazy.flatMap(\.bytes).reduce(0xCBF2_9CE4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
        }
    }

    private var disagreement: CollectiveError {
        let rank = configuration.rank
        func names(_ rank: Rank) -> String { cards[rank].offers.map(\.transport).joined(separator: " or ") }
        let peer =
            cards.indices.first { peer in
                !offers.transports.contains { cards[peer].card(of: $0.name) != nil }
            } ?? 0
        let lack = [peer, rank].map { cards[$0].lack }.first { !$0.isEmpty }
        return CollectiveError(
            .invalidConfiguration,
            "rank \(peer) uses the transport \(names(peer)), rank \(rank) uses \(names(rank))"
                + (lack.map { " (\($0))" } ?? "") + ": set RING_TRANSPORT alike on all ranks", peer: peer)
    }
}
