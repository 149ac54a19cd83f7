using System.Text;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.Grammars;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Batching;

/// <summary>Makes engine jobs of requests: tokenizes, and says what is wrong with those that cannot be run.</summary>
/// <param name="model">Whose tokens.</param>
/// <param name="contextPerSlot">Tokens of context of a job that asks for no number.</param>
/// <param name="capacity">Tokens of context that there is memory for, all jobs together.</param>
/// <param name="guesses">Whether anybody asks jobs how their answers may go on.</param>
internal sealed class JobReader(INativeModel model, int contextPerSlot, int capacity, bool guesses)
{
    // As InferenceOptions.LogitBias has it.
    private const float Forbidden = -100;

    // More than they have on average in any text.
    private const long CharactersOfToken = 8;

    private readonly Lazy<int[]> _ends = new(() => [.. Enumerable.Range(0, model.VocabularySize).Where(model.IsEndOfGeneration)]);

    /// <returns>A job to run, or how the attempt ends without one.</returns>
    public (EngineJob? Job, AttemptEnd? End) Read(EngineRequest request, ITokenSink sink, CancellationToken cancellationToken)
    {
        int context = Context(request.Options);
        if (OptionsError(request.Options, context) is { } error)
            return (null, Invalid(error));
        SamplerConfig sampling = new(Sampling(request.Options), request.Seed, context);
        if ((sampling.Error(model.VocabularySize) ?? ResumeError(request.ResumeTokens)) is { } wrong)
            return (null, Invalid(wrong));
        if (request.Options.Grammar is { } gbnf)
        {
            Grammar? grammar = Grammar.TryParse(gbnf, out string? problem);
            if (grammar is null)
                return (null, Invalid($"the grammar {problem}"));
            sampling = sampling with { Grammar = grammar };
        }

        int[] prompt = Tokenize(request.Prompt, context, out AttemptEnd? end);
        if (end is not null)
            return (null, end);
        JobBounds bounds = JobBounds.Of(request.Options, context, prompt.Length, special: prompt[0] == model.LeadingToken ? 1 : 0);
        if (request.ResumeTokens.Count >= bounds.Answer)
        {
            sink.Started(new AttemptStart(prompt.Length, CachedTokens: 0, LoadDuration: TimeSpan.Zero, PromptDuration: TimeSpan.Zero));
            return (null, new AttemptEnd { Reason = EndReason.Length });
        }
        int[] predicted = Predicted(request.Prediction, bounds);
        INativeSampler sampler = model.CreateSampler(sampling);
        if (FeedError(sampler, prompt, request.ResumeTokens) is { } refused)
        {
            sampler.Dispose();
            return (null, Invalid(refused));
        }
        return (new EngineJob(prompt, request, bounds, sampler, sink, guesses, predicted, cancellationToken), null);
    }

    /// <summary>Brings a sampler to where the answer is.</summary>
    private static string? FeedError(INativeSampler sampler, int[] prompt, IReadOnlyList<int> answer)
    {
        foreach (int token in prompt)
            sampler.Accept(token, isAnswer: false);
        try
        {
            for (int i = 0; i < answer.Count; i++)
            {
                if (!sampler.Accept(answer[i], isAnswer: true))
                    return $"the answer so far does not follow the grammar: token {i} of it is {answer[i]}";
            }
            return null;
        }
        catch (GrammarException failure)
        {
            return $"the grammar {failure.Message}";
        }
    }

    // More than the model was trained with would be noise.
    private int Context(InferenceOptions options) =>
        Math.Min(options.NumCtx ?? contextPerSlot, model.TrainedContext > 0 ? model.TrainedContext : int.MaxValue);

    private string? OptionsError(InferenceOptions options, int context) => context switch
    {
        < 1 => $"num_ctx is {options.NumCtx}; it must be at least 1",
        _ when context > capacity => $"num_ctx is {options.NumCtx}; there is memory for {capacity} tokens of context",
        _ => null,
    };

    // Who wants the context filled whatever the model says wants no token that says it is done.
    private InferenceOptions Sampling(InferenceOptions options)
    {
        if (options.NumPredict != -2)
            return options;
        Dictionary<int, float> bias = new(options.LogitBias);
        foreach (int token in _ends.Value)
            bias[token] = Forbidden;
        return options with { LogitBias = bias };
    }

    private string? ResumeError(IReadOnlyList<int> tokens)
    {
        foreach (int token in tokens)
        {
            if (token < 0 || token >= model.VocabularySize)
                return $"the answer so far holds token {token}, which this model does not have";
        }
        return null;
    }

    private int[] Tokenize(string prompt, int context, out AttemptEnd? end)
    {
        end = null;
        byte[] utf8 = Encoding.UTF8.GetBytes(prompt);
        // A prompt of megabytes would take minutes to tokenize, only to be told that it is too long.
        long atLeast = ((long)utf8.Length + model.LongestPiece - 1) / model.LongestPiece;
        if (atLeast > context)
        {
            end = TooLong($"more than {atLeast - 1}", atLeast, context);
            return [];
        }
        int[] tokens = model.Tokenize(utf8, addSpecial: true, parseSpecial: true);
        // Many templates begin with the text of the token that the vocabulary adds anyway.
        if (tokens.Length > 1 && tokens[0] == model.LeadingToken && tokens[1] == model.LeadingToken)
            tokens = tokens[1..];
        if (tokens.Length == 0)
            end = Invalid("the prompt is empty");
        else if (tokens.Length > context)
            end = TooLong($"{tokens.Length}", tokens.Length, context);
        return tokens;
    }

    private int[] Predicted(string? text, JobBounds bounds)
    {
        if (text is null || !guesses)
            return [];
        // Of more than the answer can have nothing could be used.
        long most = CharactersOfToken * Math.Min(bounds.Context, bounds.Answer);
        return model.Tokenize(Encoding.UTF8.GetBytes(text.Length > most ? text[..(int)most] : text), addSpecial: false, parseSpecial: false);
    }

    private static AttemptEnd TooLong(string said, long tokens, int context) =>
        Invalid($"the prompt has {said} tokens and exceeds the context length of {context}") with { Excess = new(tokens, context) };

    private static AttemptEnd Invalid(string error) => new() { Reason = EndReason.Invalid, Error = error };
}
