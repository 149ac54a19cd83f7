using System.Text;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Embedding;

/// <summary>Makes embedding jobs of requests: tokenizes, cuts, and says what is wrong with those that cannot be run.</summary>
/// <param name="model">Whose tokens.</param>
/// <param name="context">Most tokens of a text.</param>
internal sealed class EmbeddingReader(INativeModel model, int context)
{
    /// <returns>A job to run, or how the attempt ends without one.</returns>
    public (EmbeddingJob? Job, AttemptEnd? End) Read(EmbedRequest request, ITokenSink sink, CancellationToken cancellationToken)
    {
        if (request.Skip < 0 || request.Skip > request.Inputs.Count)
            return (null, Invalid($"{request.Skip} of {request.Inputs.Count} inputs cannot be skipped"));
        List<int[]> texts = [];
        foreach (string input in request.Inputs)
        {
            if (cancellationToken.IsCancellationRequested)
                return (null, new AttemptEnd { Reason = EndReason.Cancelled });
            int[] tokens = Tokenize(input, request.Truncate);
            if (tokens.Length == 0)
                return (null, Invalid($"input {texts.Count} is empty"));
            if (tokens.Length > context && !request.Truncate)
                return (null, Invalid($"input {texts.Count} has {tokens.Length} tokens, the context {context}"));
            texts.Add(Cut(tokens));
        }
        if (request.Skip < texts.Count)
            return (new EmbeddingJob(texts, request.Skip, sink, cancellationToken), null);
        sink.Started(new AttemptStart(texts.Sum(static tokens => tokens.Length), CachedTokens: 0, LoadDuration: TimeSpan.Zero, PromptDuration: TimeSpan.Zero));
        return (null, new AttemptEnd { Reason = EndReason.Stop });
    }

    private int[] Tokenize(string input, bool truncate)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(input);
        // Megabytes would take minutes to tokenize, only to be thrown away. Vocabularies of words have one token for any unknown one, so that bytes say nothing there.
        long most = model.Shape.IsGenerator ? (context + 1L) * model.LongestPiece : long.MaxValue;
        if (truncate && utf8.Length > most)
            utf8 = utf8[..(int)most];
        return model.Tokenize(utf8, addSpecial: true, parseSpecial: true);
    }

    // A token that ends every text ends a cut one too.
    private int[] Cut(int[] tokens)
    {
        if (tokens.Length <= context)
            return tokens;
        int[] cut = tokens[..context];
        if (tokens[^1] == model.TrailingToken)
            cut[^1] = tokens[^1];
        return cut;
    }

    private static AttemptEnd Invalid(string error) => new() { Reason = EndReason.Invalid, Error = error };
}
