using System.Text;
using CsCheck;
using OllamaMax.Jobs;

namespace OllamaMax.Core.Tests.Jobs.Owning;

/// <summary>
/// Wherever an attempt is cut off, in the middle of a character, a stop string, a tag or a call, the next one goes on so that the client cannot
/// tell: same text, reasoning, calls and counts as of one attempt.
/// </summary>
public sealed class ContinuationTests
{
    private const string Call = """{"name":"f","arguments":{"a":"é😀"}}""";

    private static readonly OutputParsing Thinking = new() { Thinking = new("<think>", "</think>", IsOpen: false), ToolCalls = ToolCallForm.Hermes };
    private static readonly OutputParsing Llama = new() { ToolCalls = ToolCallForm.Llama3 };
    private static readonly OutputParsing Mistral = new() { ToolCalls = ToolCallForm.Mistral };
    private static readonly OutputParsing Harmony = new() { Harmony = "", ToolCalls = ToolCallForm.Harmony };

    public static TheoryData<string, string> Answers => new()
    {
        { "plain", "Größe: 😀👩‍🚀 und ein STO, kein Ende" },
        { "stopped", "Grüße 🙂, das ist ein STO und ein STOPP, danach nichts" },
        { "half", "ends in half a character \uD83D" },
        { "thinking", $"<think>\nhm, <tool_call> é😀\n</think>\n\nLook: <tool_call>\n{Call}\n</tool_call>\n<tool_call>{Call}</tool_call>" },
        { "llama", $"<|python_tag|>{Call}; {Call} and 😀" },
        { "mistral", $"Sure. [TOOL_CALLS][{Call}, {Call}]é" },
        { "harmony", $"<|channel|>analysis<|message|>hm, STOPP é😀<|end|><|start|>assistant<|channel|>commentary to=functions.f<|message|>{Call}<|call|>" },
        { "channels", "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>é😀 <|x STO STOPP no" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public void CutOff_AfterAnyToken_SameAnswerAsUndisturbed(string kind, string answer)
    {
        foreach (int size in (int[])[1, 2, 5])
        {
            byte[][] pieces = Pieces(answer, size);
            ContinuedResult undisturbed = ContinuedAnswer.Of(pieces, ParsingOf(kind), ["STOPP"]);
            foreach (CutKind cut in Enum.GetValues<CutKind>())
            {
                for (int at = 0; at <= pieces.Length; at++)
                    ContinuedAnswer.Of(pieces, ParsingOf(kind), ["STOPP"], (at, cut)).ShouldBe(undisturbed, $"cut after {at} of {pieces.Length} tokens of {size} bytes by {cut}");
            }
        }
    }

    [Fact]
    public void CutOff_AnyAnswerAnyNumberOfTimes_SameAnswerAsUndisturbed()
    {
        Gen<string> part = Gen.OneOf(
            "<think>", "</think>", "<tool_call>", "</tool_call>", "<|python_tag|>", "[TOOL_CALLS]", "[", "]", "<", "{", "}", "STOPP", "STO", " ", "\n", "a", "é", "😀",
            "<|channel|>analysis", "<|channel|>final", " to=functions.f", "<|message|>", "<|end|>", Call);
        Gen<(int At, CutKind Kind)[]> cuts = Gen.Select(Gen.Int[0, 120], Gen.Enum<CutKind>()).Array[0, 12];
        Gen.Select(part.Array[0, 14], Gen.Int[1, 6].Array[1, 10], Gen.OneOf(Thinking, Llama, Mistral, Harmony, OutputParsing.None), cuts).Sample((parts, sizes, parsing, all) =>
        {
            byte[][] pieces = Pieces(string.Concat(parts), sizes);
            (int At, CutKind Kind)[] inOrder = [.. all.Where(cut => cut.At <= pieces.Length).OrderBy(cut => cut.At)];

            ContinuedAnswer.Of(pieces, parsing, ["STOPP"], inOrder).ShouldBe(ContinuedAnswer.Of(pieces, parsing, ["STOPP"]));
        });
    }

    [Fact]
    public void Undisturbed_TakesApartWhatIsToBe()
    {
        // What all others are compared with: it must have what may go wrong in it.
        ContinuedAnswer.Of(Pieces(Text("thinking"), 1), Thinking, []).Thinking.ShouldBe("hm, <tool_call> é😀\n");
        ContinuedAnswer.Of(Pieces(Text("thinking"), 1), Thinking, []).Calls.ShouldBe("""f{"a":"é😀"}|f{"a":"é😀"}""");
        ContinuedAnswer.Of(Pieces(Text("stopped"), 1), OutputParsing.None, ["STOPP"]).Text.ShouldBe("Grüße 🙂, das ist ein STO und ein ");
        ContinuedAnswer.Of(Pieces(Text("half"), 1), OutputParsing.None, []).Text.ShouldEndWith("\uFFFD");
    }

    private static string Text(string kind) => Answers.Single(row => row.Data.Item1 == kind).Data.Item2;

    private static OutputParsing ParsingOf(string kind) => kind switch
    {
        "thinking" => Thinking,
        "llama" => Llama,
        "mistral" => Mistral,
        "harmony" or "channels" => Harmony,
        _ => OutputParsing.None,
    };

    private static byte[][] Pieces(string answer, params int[] sizes)
    {
        byte[] bytes = Bytes(answer);
        List<byte[]> pieces = [];
        for (int at = 0, i = 0; at < bytes.Length; i++)
        {
            int end = Math.Min(bytes.Length, at + sizes[i % sizes.Length]);
            pieces.Add(bytes[at..end]);
            at = end;
        }
        return [.. pieces];
    }

    /// <summary>UTF-8; a lone half of a pair becomes the first half of a character's bytes.</summary>
    private static byte[] Bytes(string answer) => answer.EndsWith('\uD83D') ? [.. Encoding.UTF8.GetBytes(answer[..^1]), 0xF0, 0x9F] : Encoding.UTF8.GetBytes(answer);
}
