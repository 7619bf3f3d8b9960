/// Slurm's short forms for lists of hosts and of numbers of tasks.
enum SlurmNodeList {
    /// The first host of a list such as `gpu[001-004,007],login1`; nil if it is malformed.
    ///
    /// A bracket holds numbers and ranges of numbers, whose leading zeros belong to the name; a name may have
    /// several brackets (`rack[0-1]node[0-3]`).
    static func first(of list: String) -> String? {
        var host = ""
        var bracket: String?
        var hasEnded = false
        for character in list {
            if let content = bracket {
                guard character == "]" else {
                    bracket = content + String(character)
                    continue
                }
                guard let number = firstNumber(of: content) else { return nil }
                if !hasEnded { host += number }
                bracket = nil
            } else if character == "[" {
                bracket = ""
            } else if character == "," {
                hasEnded = true
            } else if character == "]" || character.isWhitespace {
                return nil
            } else if !hasEnded {
                host.append(character)
            }
        }
        return bracket == nil && !host.isEmpty ? host : nil
    }

    /// The first number of `001-004,007`; nil unless all of it is numbers and ranges.
    private static func firstNumber(of ranges: String) -> String? {
        var first: String?
        for range in ranges.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false)
            guard (1...2).contains(ends.count),
                ends.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } })
            else { return nil }
            first = first ?? String(ends[0])
        }
        return first
    }

    /// The numbers of tasks by node of a list such as `2(x3),1`; nil if it is malformed.
    static func taskCounts(_ list: String) -> [Int]? {
        var counts: [Int] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            var number = part
            var times = 1
            if let bracket = part.firstIndex(of: "(") {
                let repetition = part[bracket...]
                guard repetition.hasPrefix("(x"), repetition.hasSuffix(")"),
                    let count = Int(repetition.dropFirst(2).dropLast()), (1...65_536).contains(count)
                else { return nil }
                number = part[..<bracket]
                times = count
            }
            guard let count = Int(number), count >= 0, counts.count + times <= 1 << 20 else { return nil }
            counts += repeatElement(count, count: times)
        }
        return counts
    }
}
