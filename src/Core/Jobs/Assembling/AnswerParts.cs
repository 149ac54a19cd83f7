using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>Collects what the stages have decided, until it is taken.</summary>
/// <param name="isSingleCall">Calls after the first are left out.</param>
internal sealed class AnswerParts(bool isSingleCall = false)
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _thinking = new();
    private List<ToolCall> _calls = [];
    private bool _hasCalled;

    public void AddText(ReadOnlySpan<char> text) => _text.Append(text);

    public void AddThinking(ReadOnlySpan<char> text) => _thinking.Append(text);

    public void AddCall(ToolCall call)
    {
        if (!_hasCalled || !isSingleCall)
            _calls.Add(call);
        _hasCalled = true;
    }

    public Assembled Take()
    {
        if (_text.Length == 0 && _thinking.Length == 0 && _calls.Count == 0)
            return Assembled.Nothing;
        Assembled taken = new(_text.ToString(), _thinking.ToString(), _calls);
        _text.Clear();
        _thinking.Clear();
        _calls = [];
        return taken;
    }
}
