// The outlines of the collectives that combine elements.
extension OutlineShape {
    func allReduce(_ algorithm: String) -> AlgorithmOutline? {
        switch algorithm {
        case "ring":
            AlgorithmOutline([ringRound(reduces: true), ringRound(reduces: false)], isSteady: true)
        case "binomial-tree":
            AlgorithmOutline(
                treeRounds(bytes: { _ in bytes }, reduces: true) + treeRoundsDown(bytes: { _ in bytes }),
                isSteady: false)
        default: nil
        }
    }

    func reduceScatter(_ algorithm: String) -> AlgorithmOutline? {
        switch algorithm {
        case "ring": AlgorithmOutline([ringRound(reduces: true)], isSteady: true)
        default: nil
        }
    }

    func reduce(_ algorithm: String) -> AlgorithmOutline? {
        switch algorithm {
        case "binomial-tree":
            AlgorithmOutline(treeRounds(bytes: { _ in bytes }, reduces: true), isSteady: false)
        default: nil
        }
    }
}
