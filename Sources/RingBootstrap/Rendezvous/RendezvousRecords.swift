import RingCore

/// What the first rank to arrive says of the world, and every other holds against its own view.
struct WorldView: Equatable {
    var worldSize: Int
    var version: UInt16
    var rank: Rank
    var identity: String

    /// The rank as messages name it.
    var name: String { identity.isEmpty ? "rank \(rank)" : "rank \(rank) (\(identity))" }
}

extension WorldView {
    /// The version comes first and keeps its place in all versions.
    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.integer(version)
        writer.integer(Int64(worldSize))
        writer.integer(Int64(rank))
        writer.text(identity)
        return writer.bytes
    }

    init?(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let version = try? reader.integer(UInt16.self), let size = try? reader.integer(Int64.self),
            let rank = try? reader.integer(Int64.self), let identity = try? reader.text()
        else { return nil }
        self.init(worldSize: Int(size), version: version, rank: Rank(rank), identity: oneLine(identity))
    }
}

/// A rank's card with who it is.
struct CardRecord: Equatable {
    var identity: String
    var card: [UInt8]
}

extension CardRecord {
    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.text(identity)
        writer.block(card)
        return writer.bytes
    }

    init?(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let identity = try? reader.text(), let card = try? reader.block(), (try? reader.end()) != nil
        else { return nil }
        self.init(identity: oneLine(identity), card: card)
    }
}

/// Why a rendezvous failed, for all ranks to read.
struct FailureRecord: Equatable {
    enum Kind: UInt8 {
        /// A rank does not fit: doubled, out of range, or of another view.
        case misfit = 1
        /// Ranks did not arrive in time.
        case absent = 2
        /// A rank arrived and went.
        case left = 3
    }

    var kind: Kind
    var peer: Rank?
    var message: String
    /// For `absent`: who did not arrive.
    var absentees: [Rank] = []
}

extension FailureRecord {
    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.integer(kind.rawValue)
        writer.integer(Int64(peer ?? -1))
        writer.text(message)
        writer.integer(UInt32(absentees.count))
        for rank in absentees { writer.integer(UInt32(rank)) }
        return writer.bytes
    }

    init?(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let kind = (try? reader.integer(UInt8.self)).flatMap(Kind.init(rawValue:)),
            let peer = try? reader.integer(Int64.self), let message = try? reader.text(),
            let count = try? reader.count(elementsOfAtLeast: 4)
        else { return nil }
        self.init(kind: kind, peer: peer < 0 ? nil : Rank(peer), message: message)
        for _ in 0..<count {
            guard let rank = try? reader.integer(UInt32.self) else { return nil }
            absentees.append(Rank(rank))
        }
    }

    /// Whether this rank is one of those that did not arrive.
    func names(_ rank: Rank) -> Bool { absentees.contains(rank) }
}
