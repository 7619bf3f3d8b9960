import RingCore

/// What a rank tells all others about itself at the rendezvous.
struct RankCard: Hashable, Sendable {
    /// A transport that the rank could use.
    struct Offer: Hashable, Sendable {
        /// The transport's name.
        var transport: String
        /// What that transport's peers need to know.
        var card: [UInt8]
    }

    /// The running system, so that ranks know whom they share processors with.
    var system: String
    /// What it could use, the best first.
    var offers: [Offer]
    /// Why something better is missing among them, in one line; empty if nothing is.
    var lack: String
    /// What it would have all ranks choose algorithms by; rank 0's counts.
    var basis: ChoiceBasis

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.text(system)
        writer.integer(UInt32(offers.count))
        for offer in offers {
            writer.text(offer.transport)
            writer.block(offer.card)
        }
        writer.text(lack, atMost: 1024)
        writer.block(basis.bytes)
        return writer.bytes
    }

    init(system: String, offers: [Offer], lack: String = "", basis: ChoiceBasis) {
        self.system = system
        self.offers = offers
        self.lack = lack
        self.basis = basis
    }

    /// Reads ``bytes``; nil if they are not a card.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        do {
            system = try reader.text()
            // An offer has two lengths at least.
            offers = try (0..<reader.count(elementsOfAtLeast: 6)).map { _ in
                Offer(transport: try reader.text(), card: try reader.block())
            }
            lack = try reader.text()
            guard let basis = ChoiceBasis(try reader.block()) else { return nil }
            self.basis = basis
            try reader.end()
        } catch { return nil }
    }

    /// What its peers need to know of a transport; nil if it could not use that one.
    func card(of transport: String) -> [UInt8]? { offers.first { $0.transport == transport }?.card }
}
