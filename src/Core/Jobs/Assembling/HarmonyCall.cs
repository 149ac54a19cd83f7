using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>A message to a function: its arguments, as they come.</summary>
/// <param name="name">The function's.</param>
internal sealed class HarmonyCall(string name)
{
    private readonly StringBuilder _taken = new();
    private JsonExtent _extent;

    /// <summary>Inside the arguments' object, where a mark may be a string's text.</summary>
    public bool IsInObject { get; private set; }

    /// <summary>All that was appended.</summary>
    public string Taken => _taken.ToString();

    /// <summary>The call, with what has come of its arguments; null where that is something, but no object.</summary>
    public ToolCall? Call => ToolCallJson.Read(name, IsInObject ? Taken : "{}");

    /// <returns>Null: more is to come; true: that was the arguments' end; false: they are no object.</returns>
    public bool? Append(char c)
    {
        _taken.Append(c);
        if (!IsInObject && char.IsWhiteSpace(c))
            return null;
        IsInObject |= c == '{';
        if (!IsInObject)
            return false;
        return _extent.Add(c) ? true : null;
    }
}
