using System.Buffers.Binary;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Embedding;

/// <summary>One text on its way to a vector. It may be read in pieces, whose vectors become one as its tokens' would.</summary>
internal sealed class EmbeddingText(EmbeddingJob job, int[] tokens)
{
    private int _read;
    private float[]? _vector;

    public EmbeddingJob Job => job;

    /// <summary>Where it is remembered between its pieces.</summary>
    public int? Sequence { get; set; }

    /// <summary>Tokens that are read.</summary>
    public int Read => _read;

    public int Pending => tokens.Length - _read;

    public ReadOnlySpan<int> PendingTokens(int count) => tokens.AsSpan(_read, count);

    /// <summary>Takes the vector of its next piece.</summary>
    public void Add(ReadOnlySpan<float> piece, int count, Pooling pooling)
    {
        if (_vector is null)
            _vector = piece.ToArray();
        else if (pooling == Pooling.Last)
            piece.CopyTo(_vector);
        else if (pooling == Pooling.Mean)
            AddToMean(_vector, piece, count);
        _read += count;
    }

    /// <summary>The vector as the model says, little-endian.</summary>
    /// <exception cref="NativeException">It is no vector that has a direction.</exception>
    public byte[] Vector()
    {
        double length = Math.Sqrt(_vector!.Sum(static value => (double)value * value));
        if (!double.IsFinite(length) || length == 0)
            throw new NativeException($"The model computed a vector of length {length}: its weights are broken.");
        byte[] bytes = new byte[_vector!.Length * sizeof(float)];
        for (int i = 0; i < _vector.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), _vector[i]);
        return bytes;
    }

    private void AddToMean(float[] mean, ReadOnlySpan<float> piece, int count)
    {
        float share = (float)count / (_read + count);
        for (int i = 0; i < mean.Length; i++)
            mean[i] += (piece[i] - mean[i]) * share;
    }
}
