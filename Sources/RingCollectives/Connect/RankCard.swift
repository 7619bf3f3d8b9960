import RingCore

/// What a rank tells all others about itself at the rendezvous.
struct RankCard: Hashable, Sendable {
    /// The running system, so that ranks know whom they share processors with.
    var system: String
    /// The name of its transport.
    var transport: String
    /// What it would have all ranks choose algorithms by; rank 0's counts.
    var basis: ChoiceBasis
    /// What that transport's peers need to know.
    var transportCard: [UInt8]

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.text(system)
        writer.text(transport)
        writer.block(basis.bytes)
        return writer.bytes + transportCard
    }

    init(system: String, transport: String, basis: ChoiceBasis, transportCard: [UInt8]) {
        self.system = system
        self.transport = transport
        self.basis = basis
        self.transportCard = transportCard
    }

    /// Reads ``bytes``; nil if they are not a card.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let system = try? reader.text(), let transport = try? reader.text(),
            let basis = (try? reader.block()).flatMap({ ChoiceBasis($0) })
        else { return nil }
        self.init(system: system, transport: transport, basis: basis, transportCard: reader.remainder())
    }
}
