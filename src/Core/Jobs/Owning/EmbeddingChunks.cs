using System.Buffers.Binary;

namespace OllamaMax.Jobs.Owning;

/// <summary>Embeddings travel as chunks too: a "token" is the number of an input's tokens, its piece the vector.</summary>
internal static class EmbeddingChunks
{
    public static IEnumerable<JobOutput.Embedding> Read(Chunk chunk)
    {
        int start = 0;
        for (int i = 0; i < chunk.Tokens.Length; i++)
        {
            yield return new JobOutput.Embedding(chunk.Index + i, chunk.Tokens[i], Vector(chunk.Bytes.AsSpan(start, chunk.Lengths[i])));
            start += chunk.Lengths[i];
        }
    }

    private static float[] Vector(ReadOnlySpan<byte> bytes)
    {
        var vector = new float[bytes.Length / sizeof(float)];
        for (int i = 0; i < vector.Length; i++)
            vector[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        return vector;
    }
}
