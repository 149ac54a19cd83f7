using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// Takes the messages of OpenAI's harmony apart, character by character: what is in the channel <c>analysis</c> is reasoning, what is sent to a function is a call
/// and leaves with its last brace, all else is text. What is no header, or no call, is the text that it was.
/// </summary>
internal sealed class HarmonyMessages : IMessageStage
{
    private static readonly HarmonyHeader Plain = new("", null);

    /// <summary>Those in a message. One may lack its end before the next header.</summary>
    private static readonly string[] Marks = [.. HarmonyHeader.Ends, HarmonyHeader.Start, HarmonyHeader.ChannelMark];

    private readonly bool _canCall;

    /// <summary>All of a header; in a message what may become a mark.</summary>
    private readonly StringBuilder _held = new();

    private AnswerParts _parts = new();
    private bool _isInHeader = true;

    /// <summary>The message's; null behind its end.</summary>
    private HarmonyHeader? _header;

    private HarmonyCall? _call;
    private bool _skipsSpace;

    /// <param name="begun">What the prompt has of the first message already. What that says of its content is left out.</param>
    /// <param name="canCall">Whether there is something to call; otherwise what is sent to a function is text.</param>
    public HarmonyMessages(string begun, bool canCall)
    {
        _canCall = canCall;
        Append(begun, _parts);
    }

    public bool IsThinking => _header is { IsThinking: true };

    public bool IsFinal => !_isInHeader && _header is { IsFinal: true };

    public void Append(ReadOnlySpan<char> text, AnswerParts parts)
    {
        _parts = parts;
        foreach (char c in text)
            Step(c);
    }

    public void Complete(AnswerParts parts, bool isCut)
    {
        _parts = parts;
        if (_call is { IsInObject: true })
            NoCall();
        string held = _held.ToString();
        // What was to be a header and has come to a mark is that of a message that has not come.
        if (!_isInHeader || !held.Contains("<|", StringComparison.Ordinal))
            Write(held);
        EndMessage();
    }

    private void Step(char c)
    {
        if (_isInHeader)
            StepHeader(c);
        else if (_call is { IsInObject: true })
            Write(c);
        else
            StepMessage(c);
    }

    private void StepHeader(char c)
    {
        string text = _held.Append(c).ToString();
        if (text.EndsWith(HarmonyHeader.Message, StringComparison.Ordinal))
            BeginMessage(HarmonyHeader.Read(text));
        else if (!HarmonyHeader.MayBegin(text))
            NoHeader(text);
    }

    private void StepMessage(char c)
    {
        if (_held.Length == 0 && c != '<')
        {
            Write(c);
            return;
        }
        string text = _held.Append(c).ToString();
        string? mark = Array.Find(Marks, mark => mark.StartsWith(text, StringComparison.Ordinal));
        if (mark is null)
        {
            // No mark has its first character again.
            int held = c == '<' ? 1 : 0;
            _held.Remove(0, text.Length - held);
            Write(text[..^held]);
        }
        else if (mark.Length == text.Length)
        {
            _isInHeader = true;
            if (HarmonyHeader.Ends.Contains(mark))
                EndMessage();
        }
    }

    private void BeginMessage(HarmonyHeader header)
    {
        EndMessage();
        _header = header;
        _call = _canCall && header.Function is { Length: > 0 } function ? new HarmonyCall(function) : null;
        (_isInHeader, _skipsSpace) = (false, false);
    }

    private void EndMessage()
    {
        // Arguments that are none at all are an empty object.
        if (_call?.Call is { } call)
            _parts.AddCall(call);
        _skipsSpace = _header is not null;
        (_header, _call) = (null, null);
        _held.Clear();
    }

    /// <summary>It stays in the message that it stood in; its end may be another's begin.</summary>
    private void NoHeader(string text)
    {
        _held.Clear();
        _isInHeader = false;
        _header ??= Plain;
        Write(text[..1]);
        foreach (char c in text.AsSpan(1))
            Step(c);
    }

    /// <summary>What was held of the arguments is text; that of an object has not been looked at for marks.</summary>
    private void NoCall()
    {
        HarmonyCall call = _call!;
        (_header, _call) = (Plain, null);
        if (!call.IsInObject)
        {
            Write(call.Taken);
            return;
        }
        foreach (char c in call.Taken)
            Step(c);
    }

    private void Write(string text)
    {
        foreach (char c in text)
            Write(c);
    }

    private void Write(char c)
    {
        if (_call is not null)
        {
            TakeArguments(_call.Append(c));
            return;
        }
        if (_skipsSpace && char.IsWhiteSpace(c))
            return;
        _skipsSpace = false;
        if (IsThinking)
            _parts.AddThinking([c]);
        else
            _parts.AddText([c]);
    }

    private void TakeArguments(bool? areWhole)
    {
        if (areWhole == true && _call!.Call is { } call)
        {
            _parts.AddCall(call);
            (_header, _call, _skipsSpace) = (Plain, null, true);
        }
        else if (areWhole is not null)
        {
            NoCall();
        }
    }
}
