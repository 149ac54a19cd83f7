using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// The pure way from a job's tokens to its answer: half characters are held back until they are whole, text that may still become a stop string,
/// a tag or a call is held back until it is decided. Depends on nothing but the bytes fed, however they were cut into chunks, so a
/// job's owner rebuilds the state after a takeover by feeding the tokens again. Not safe for concurrent use.
/// </summary>
/// <remarks>
/// Bytes pass a chain of stages: text decoder, stop finder, then what takes reasoning and calls apart. So stop strings apply to all that the
/// model writes, its reasoning and calls too, as in Ollama; a call that one cuts off is text. Where it writes in channels or to recipients, that would be the names of these as
/// well: there they apply to the final answer's text. What a server has taken apart itself
/// (<see cref="PieceKind"/>) goes past the stages.
/// </remarks>
public sealed class Assembler
{
    private readonly Utf8Pieces _utf8 = new();
    private readonly StopFinder _stops;
    private readonly StringBuilder _passed = new();
    private readonly ITextStage _stages;
    private readonly TagSplitter? _thinking;
    private readonly IMessageStage? _messages;
    private readonly AnswerParts _parts;
    private readonly TokenEnds _ends = new();
    private bool _complete;

    /// <param name="stop">Strings that end the answer and are not part of it; empty ones are ignored.</param>
    /// <param name="parsing">What to take apart; null: nothing.</param>
    public Assembler(IReadOnlyList<string> stop, OutputParsing? parsing = null)
    {
        _stops = new StopFinder(stop);
        ITextStage rest = ToolCallParser.Of(parsing ?? OutputParsing.None);
        if (parsing?.Answer is { } frame)
            rest = new TagSplitter(frame.Open, frame.Close, isOpen: false, inside: rest, next: rest, isBegun: frame.IsBegun);
        ThinkingText thought = new(() => ToolCallParser.Of(parsing ?? OutputParsing.None) as ToolCallParser);
        BehindThinking next = new(thought, rest);
        if (parsing?.Harmony is { } begun)
            _messages = new HarmonyMessages(begun, canCall: parsing.ToolCalls == ToolCallForm.Harmony);
        else if (parsing?.Addressed is { } header)
            _messages = new AddressedMessages(header, thought, next);
        else if (parsing?.Thinking is { } tags)
            _thinking = new TagSplitter(tags.Open, tags.Close, tags.IsOpen, thought, next);
        _stages = _messages ?? _thinking ?? rest;
        _parts = new AnswerParts(parsing?.IsSingleCall ?? false);
    }

    /// <summary>Tokens of the answer: all that were fed, up to the one that completed a stop string.</summary>
    public int Tokens { get; private set; }

    /// <summary>Of these, those whose whole text is certainly the answer's: it was not held back, and no part of it is of a stop string.</summary>
    public int DecidedTokens => _ends.Decided;

    /// <summary>Of these, the ones of the reasoning, its opening tag counted in; what may still become a stop string is not looked at yet.</summary>
    public int ReasoningTokens { get; private set; }

    /// <summary>The stop string that was found; null while there was none. What is fed after it is ignored.</summary>
    public string? StoppedBy => _stops.Found;

    /// <summary>Takes the chunk's tokens and answers what became final with them, often nothing.</summary>
    /// <exception cref="ArgumentException">The chunk is not the next one, or its lengths do not add up.</exception>
    public Assembled Append(Chunk chunk)
    {
        if (StoppedBy is not null)
            return Assembled.Nothing;
        if (chunk.Index != Tokens)
            throw new ArgumentException($"The chunk begins at token {chunk.Index}; token {Tokens} is next.", nameof(chunk));
        if (chunk.Lengths.Length != chunk.Tokens.Length || chunk.Lengths.Sum() != chunk.Bytes.Length)
            throw new ArgumentException("The lengths of the chunk's pieces do not add up to its bytes.", nameof(chunk));

        ReadOnlySpan<byte> rest = chunk.Bytes;
        for (int i = 0; i < chunk.Lengths.Length; i++)
        {
            Take(chunk.Tokens[i], rest[..chunk.Lengths[i]]);
            rest = rest[chunk.Lengths[i]..];
            if (StoppedBy is not null)
                break;
        }
        return _parts.Take();
    }

    /// <summary>Takes one token's piece and answers what became final with it.</summary>
    public Assembled Append(ReadOnlySpan<byte> piece)
    {
        if (StoppedBy is null)
            Take(PieceKind.Text, piece);
        return _parts.Take();
    }

    /// <summary>The answer has ended: what was held back is final now, half a character as U+FFFD.</summary>
    /// <param name="isCut">At a limit, and not as the model would have it.</param>
    public Assembled Complete(bool isCut = false)
    {
        if (_complete || StoppedBy is not null)
            return Assembled.Nothing;
        _complete = true;
        _stops.Append(_utf8.Complete(), _passed);
        if (StoppedBy is null)
            _stops.Complete(_passed);
        _ends.Decide(_stops.Passed);
        Pass(isEnd: true, isCut || StoppedBy is not null);
        return _parts.Take();
    }

    private void Take(int token, ReadOnlySpan<byte> piece)
    {
        if (_complete)
            throw new InvalidOperationException("The answer has ended; no token can come after its end.");
        Tokens++;
        ReadOnlySpan<char> text = _utf8.Append(IsTakenApart(token, piece) ? [] : piece);
        _ends.Add(text.Length, _utf8.IsInsideCharacter);
        if (_messages is null)
            _stops.Append(text, _passed);
        else
            FindStopsInFinal(text, _messages);
        _ends.Decide(_stops.Passed);
        Pass(isEnd: StoppedBy is not null, isCut: true);
        // Only the begin of an answer is reasoning.
        if (token == PieceKind.Thinking || _thinking is { IsInside: true } || _messages is { IsThinking: true })
            ReasoningTokens = Tokens;
    }

    /// <summary>Where a character stands is known once those before it were looked at.</summary>
    private void FindStopsInFinal(ReadOnlySpan<char> text, IMessageStage messages)
    {
        foreach (char c in text)
        {
            if (messages.IsFinal)
                _stops.Append([c], _passed);
            else
                _stops.Skip([c], _passed);
            Pass(isEnd: false);
            if (StoppedBy is not null)
                return;
        }
    }

    /// <summary>Whether a server has said already that it is reasoning or a call: then it is no text that anything could be found in.</summary>
    private bool IsTakenApart(int token, ReadOnlySpan<byte> piece)
    {
        if (token is not (PieceKind.Thinking or PieceKind.ToolCall))
            return false;
        string text = Encoding.UTF8.GetString(piece);
        if (token == PieceKind.Thinking)
            _parts.AddThinking(text);
        else if (ToolCallJson.Read(text, mayLackArguments: true) is { } call)
            _parts.AddCall(call);
        else
            return false;
        return true;
    }

    private void Pass(bool isEnd, bool isCut = false)
    {
        foreach (ReadOnlyMemory<char> text in _passed.GetChunks())
            _stages.Append(text.Span, _parts);
        _passed.Clear();
        if (isEnd)
            _stages.Complete(_parts, isCut);
    }
}
