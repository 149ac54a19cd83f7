using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// Takes calls out of the text, character by character, so that nothing depends on how it was cut. Text leaves at once unless it may be the
/// begin of a call; a call leaves as soon as its JSON is complete; what turns out to be none leaves as the text that it was. White space
/// around calls belongs to neither.
/// </summary>
internal abstract class ToolCallParser : ITextStage
{
    private readonly StringBuilder _held = new();
    private AnswerParts _parts = new();
    private JsonExtent _extent;
    private int _jsonStart;
    private int _matched;

    public static ITextStage Of(OutputParsing parsing) => parsing.ToolCalls switch
    {
        ToolCallForm.Hermes => new HermesCalls(),
        ToolCallForm.Llama3 => new Llama3Calls(),
        ToolCallForm.Mistral or ToolCallForm.MistralNamed or ToolCallForm.MistralIdentified => new MistralCalls(),
        var form => CallForms.Of(form) is { } marks ? new MarkedCalls(marks, parsing.Arguments) : new PlainText(),
    };

    public void Append(ReadOnlySpan<char> text, AnswerParts parts)
    {
        _parts = parts;
        foreach (char c in text)
        {
            while (!Step(c))
            {
                // The place has changed; the character is still to be looked at there.
            }
        }
    }

    public void Complete(AnswerParts parts, bool isCut)
    {
        _parts = parts;
        // What a limit has ended may have lost more than an end, and what looks like one may stand in an argument.
        while (!isCut && TryFinish())
        {
            // Behind what was one there may be another.
        }
        Flush();
    }

    /// <summary>Makes a call of what is held, though its end is missing, as no more comes. False: there is none.</summary>
    protected virtual bool TryFinish() => false;

    /// <summary>Characters held, to be part of a call or text.</summary>
    public int Held => _held.Length;

    /// <summary>What is held from there on.</summary>
    protected string HeldFrom(int start) => _held.ToString(start, _held.Length - start);

    /// <summary>What is held of the JSON.</summary>
    protected string Json => HeldFrom(_jsonStart);

    protected int JsonLength => _held.Length - _jsonStart;

    /// <summary>Takes the character, or changes the place where it is to be looked at again (false).</summary>
    protected abstract bool Step(char c);

    /// <summary>Keeps the character until it is decided.</summary>
    protected bool Hold(char c)
    {
        _held.Append(c);
        return true;
    }

    /// <summary>The character is text, and so is what was held before it.</summary>
    protected bool Write(char c)
    {
        Flush();
        _parts.AddText([c]);
        return true;
    }

    /// <summary>What was held is text after all.</summary>
    protected void Flush()
    {
        if (_held.Length > 0)
            _parts.AddText(_held.ToString());
        Drop();
    }

    /// <summary>The first characters of what is held are text after all; the others are looked at again.</summary>
    protected void FlushAndStepAgain(int length)
    {
        string again = HeldFrom(length);
        _held.Length = length;
        Flush();
        Append(again, _parts);
    }

    protected void Drop()
    {
        _held.Clear();
        _matched = 0;
    }

    /// <summary>Answers the calls, forgets what was held, and looks at what stood behind.</summary>
    protected void EmitAllAndStep(IReadOnlyList<ToolCall> calls, string behind)
    {
        EmitAll(calls);
        Append(behind, _parts);
    }

    /// <summary>Says that so much of a marker is held already.</summary>
    protected void BeginMarker(int matched) => _matched = matched;

    /// <summary>Holds the next character of a marker. Null: more of it is to come; true: it is complete; false: it is not the marker.</summary>
    protected bool? Match(string marker, char c)
    {
        if (marker[_matched] != c)
            return false;
        Hold(c);
        return ++_matched == marker.Length ? true : null;
    }

    /// <summary>The next character is the opening brace.</summary>
    protected void BeginJson()
    {
        _jsonStart = _held.Length;
        _extent = default;
    }

    /// <summary>Holds the object's next character; true when it was the last one.</summary>
    protected bool HoldJson(char c)
    {
        Hold(c);
        return _extent.Add(c);
    }

    /// <summary>What is held between a position and the object.</summary>
    protected string BeforeJson(int start) => _held.ToString(start, _jsonStart - start);

    /// <summary>Answers the call and forgets what was held; if there is none, that is text.</summary>
    protected bool Emit(ToolCall? call)
    {
        if (call is null)
        {
            Flush();
            return false;
        }
        _parts.AddCall(call);
        Drop();
        return true;
    }

    /// <summary>Answers the calls and forgets what was held.</summary>
    protected void EmitAll(IReadOnlyList<ToolCall> calls)
    {
        foreach (ToolCall call in calls)
            _parts.AddCall(call);
        Drop();
    }
}
