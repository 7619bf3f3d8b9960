/// Images of one size, each with the class it shows.
struct LabelledImages: Sendable, Equatable {
    /// How many pixels an image has.
    let pixelCount: Int
    /// The images' pixels, image after image, row by row.
    let pixels: [UInt8]
    /// Each image's class.
    let labels: [UInt8]

    /// Creates a set of images; `pixels` must hold `pixelCount` for each label.
    init(pixelCount: Int, pixels: [UInt8], labels: [UInt8]) {
        precondition(
            pixels.count == pixelCount * labels.count, "\(pixels.count) pixels, \(labels.count) labels")
        self.pixelCount = pixelCount
        self.pixels = pixels
        self.labels = labels
    }

    /// How many images there are.
    var count: Int { labels.count }
}

/// How pixels become a model's inputs: shifted and scaled to mean 0 and standard deviation 1 over the training
/// images.
struct PixelNormalization: Sendable, Equatable {
    let mean: Float
    let inverseDeviation: Float

    /// Measures the images. The sums are exact, so every rank and platform gets the same numbers.
    init(measuring images: LabelledImages) {
        var histogram = [Int](repeating: 0, count: 256)
        for pixel in images.pixels { histogram[Int(pixel)] += 1 }
        var sum = 0
        var squares = 0
        for (value, times) in histogram.enumerated() {
            sum += value * times
            squares += value * value * times
        }
        let count = Double(max(1, images.pixels.count))
        let mean = Double(sum) / count
        let variance = Double(squares) / count - mean * mean
        self.mean = Float(mean)
        // Images that are all alike have no deviation to divide by.
        self.inverseDeviation = variance > 0 ? Float(1 / variance.squareRoot()) : 1
    }
}

extension LabelledImages {
    /// Writes the normalized pixels of the images with the given numbers into `inputs`, a row an image.
    func gather(
        _ indices: ArraySlice<Int32>, normalization: PixelNormalization,
        into inputs: UnsafeMutablePointer<Float>
    ) {
        let (mean, scale) = (normalization.mean, normalization.inverseDeviation)
        pixels.withUnsafeBufferPointer { pixels in
            guard let pixels = pixels.baseAddress else { return }
            var row = inputs
            for index in indices {
                let image = pixels + Int(index) * pixelCount
                for pixel in 0..<pixelCount {
                    row[pixel] = (Float(image[pixel]) - mean) * scale
                }
                row += pixelCount
            }
        }
    }
}
