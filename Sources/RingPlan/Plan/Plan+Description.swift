import RingCore

// The text of a plan, which `Plan(parsing:)` reads back:
//
//     plan all-reduce by ring, rank 1 of 4, 1000 elements in 4 even chunks, in place, scratch 0
//     0: send output[0..<250] (chunk 0) to 2 | receive output[750..<1000] (chunk 3) from 0, reduce with ...
//     ...
//     3: send output[250..<500] (chunk 1) to 2 after received 2 | receive ... from 0 after sent 0
//
// A slice of several chunks says so: output[0..<500] (chunks 0..<2). Chunks that are not an even split, and the
// counts of a collective that has them, are listed: 7 elements in chunks [0..<3 3..<7], counts [3 4].

extension Plan: CustomStringConvertible {
    /// The plan as text: a header line, then a line a step. ``init(parsing:)`` reads it back.
    package var description: String {
        var lines = [header]
        for (index, step) in steps.enumerated() { lines.append("\(index): \(step)") }
        return lines.joined(separator: "\n") + "\n"
    }

    private var header: String {
        var parts = ["plan \(collective.name) by \(algorithm)", "rank \(rank) of \(worldSize)"]
        if let root { parts.append("root \(root)") }
        if chunks.isEven {
            parts.append("\(elementCount) elements in \(chunks.count) even chunks")
        } else {
            let list = chunks.map { "\($0)" }.joined(separator: " ")
            parts.append("\(elementCount) elements in chunks [\(list)]")
        }
        if let counts {
            parts.append("counts [\(counts.map { "\($0)" }.joined(separator: " "))]")
        }
        parts.append(isInPlace ? "in place" : "out of place")
        parts.append("scratch \(scratchCount)")
        return parts.joined(separator: ", ")
    }
}

extension Step: CustomStringConvertible {
    package var description: String {
        let parts = [send?.description, receive?.description, copy?.description].compactMap { $0 }
        return parts.isEmpty ? "nothing" : parts.joined(separator: " | ")
    }
}

extension Send: CustomStringConvertible {
    package var description: String { "send \(source) to \(peer)\(after.clause)" }
}

extension Receive: CustomStringConvertible {
    package var description: String {
        let head = "receive \(destination) from \(peer)"
        switch action {
        case .copy:
            return head + after.clause
        case .reduce(let own, let isFinal):
            let verb = isFinal ? "final reduce" : "reduce"
            return "\(head), \(verb) with \(own.text(beside: destination))\(after.clause)"
        }
    }
}

extension LocalCopy: CustomStringConvertible {
    package var description: String {
        "copy \(source) to \(destination.text(beside: source))\(after.clause)"
    }
}

extension Slice: CustomStringConvertible {
    package var description: String { "\(place) (\(chunks.chunkText))" }

    private var place: String { "\(buffer.name)[\(range.lowerBound)..<\(range.upperBound)]" }

    /// The text beside that of another slice, which says the chunks already if they are the same.
    fileprivate func text(beside other: Slice) -> String {
        chunks == other.chunks ? place : description
    }
}

extension Range<Int> {
    /// Consecutive chunks in a plan's text: `chunk 3`, `chunks 2..<5`.
    var chunkText: String {
        count == 1 ? "chunk \(lowerBound)" : "chunks \(lowerBound)..<\(upperBound)"
    }
}

extension Dependency: CustomStringConvertible {
    package var description: String {
        switch self {
        case .received(let step): "received \(step)"
        case .sent(let step): "sent \(step)"
        }
    }
}

extension [Dependency] {
    fileprivate var clause: String {
        isEmpty ? "" : " after " + map(\.description).joined(separator: " and ")
    }
}
