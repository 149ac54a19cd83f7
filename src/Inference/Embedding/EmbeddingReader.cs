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
        int most = Math.Min(context, request.Context ?? context);
        List<int[]> texts = [];
        foreach (string input in request.Inputs)
        {
            if (cancellationToken.IsCancellationRequested)
                return (null, new AttemptEnd { Reason = EndReason.Cancelled });
            int[] tokens = Tokenize(input, most, request.Truncate);
            if (tokens.Length == 0)
                return (null, Invalid($"input {texts.Count} is empty"));
            if (tokens.Length > most && !request.Truncate)
                return (null, Invalid($"input {texts.Count} has {tokens.Length} tokens: the input length exceeds the context length of {most}") with { Excess = new(tokens.Length, most) });
            if (tokens.Length > most && most <= Special)
                return (null, Invalid($"input {texts.Count}: input after truncation exceeds maximum context length of {most}") with { Excess = new(tokens.Length, most) });
            texts.Add(Cut(tokens, most));
        }
        if (request.Skip < texts.Count)
            return (new EmbeddingJob(texts, request.Skip, sink, cancellationToken), null);
        sink.Started(new AttemptStart(texts.Sum(static tokens => tokens.Length), CachedTokens: 0, LoadDuration: TimeSpan.Zero, PromptDuration: TimeSpan.Zero));
        return (null, new AttemptEnd { Reason = EndReason.Stop });
    }

    /// <summary>Tokens that stand around every text: a context that holds no more holds nothing.</summary>
    private int Special => (model.LeadingToken is null ? 0 : 1) + (model.TrailingToken is null ? 0 : 1);

    private int[] Tokenize(string input, int most, bool truncate)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(input);
        // Megabytes would take minutes to tokenize, only to be thrown away. Vocabularies of words have one token for any unknown one, so that bytes say nothing there.
        long bytes = model.Shape.IsGenerator ? (most + 1L) * model.LongestPiece : long.MaxValue;
        if (truncate && utf8.Length > bytes)
            utf8 = utf8[..(int)bytes];
        return model.Tokenize(utf8, addSpecial: true, parseSpecial: true);
    }

    // A token that ends every text ends a cut one too.
    private int[] Cut(int[] tokens, int most)
    {
        if (tokens.Length <= most)
            return tokens;
        int[] cut = tokens[..most];
        if (tokens[^1] == model.TrailingToken)
            cut[^1] = tokens[^1];
        return cut;
    }

    private static AttemptEnd Invalid(string error) => new() { Reason = EndReason.Invalid, Error = error };
}
