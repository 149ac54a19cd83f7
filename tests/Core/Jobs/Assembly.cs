using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Core.Tests.Jobs;

/// <summary>A whole answer, assembled: its parts as text that can be compared.</summary>
internal sealed record Assembly(string Text, string Thinking, string Calls)
{
    /// <param name="parsing">What to take apart.</param>
    /// <param name="answer">What the model writes.</param>
    /// <param name="cuts">Bytes of each piece; what is left is the last one.</param>
    /// <param name="stop">Strings that end it.</param>
    public static Assembly Of(OutputParsing parsing, string answer, int[] cuts, params string[] stop)
    {
        Assembler assembler = new(stop, parsing);
        byte[] bytes = Encoding.UTF8.GetBytes(answer);
        Assembled all = Assembled.Nothing;
        int at = 0;
        foreach (int cut in cuts)
        {
            int length = Math.Min(cut, bytes.Length - at);
            all += assembler.Append(bytes.AsSpan(at, length));
            at += length;
        }
        all += assembler.Append(bytes.AsSpan(at));
        all += assembler.Complete();
        return new(all.Text, all.Thinking, string.Join('|', all.ToolCalls.Select(call => $"{call.Name}{call.Arguments.GetRawText()}")));
    }

    public static Assembly Of(OutputParsing parsing, string answer) => Of(parsing, answer, []);
}
