using CsCheck;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Tests.Native;

public sealed class LogitsTests
{
    [Fact]
    public void Top_AnyLogits_AreTheFirstOfAllInOrder() =>
        Gen.Select(Gen.Int[-3, 3].Array[0, 700], Gen.Int[0, 210]).Sample(static (values, count) =>
        {
            float[] logits = [.. values.Select(static value => value == -3 ? float.NegativeInfinity : value)];
            var top = new Candidate[count];

            int found = Logits.Of(logits).Top(top);

            top[..found].Select(static candidate => candidate.Token).ShouldBe(
                Enumerable.Range(0, logits.Length).Where(token => logits[token] > float.NegativeInfinity).OrderByDescending(token => logits[token]).Take(count));
        });

    [Fact]
    public void Top_LogitsThatHardlyEverEqual_AreTheFirstOfAllInOrder() =>
        Gen.Select(Gen.Float[-20, 20].Array[0, 3000], Gen.Int[0, 100]).Sample(static (logits, count) =>
        {
            var top = new Candidate[count];

            int found = Logits.Of(logits).Top(top);

            top[..found].Select(static candidate => candidate.Token).ShouldBe(
                Enumerable.Range(0, logits.Length).OrderByDescending(token => logits[token]).Take(count));
        });

    [Fact]
    public void Likeliest_AnyLogits_IsTheFirstOfTheHighest() =>
        Gen.Int[-3, 3].Array[1, 700].Sample(static values =>
        {
            float[] logits = [.. values.Select(static value => (float)value)];

            Logits.Of(logits).Likeliest.ShouldBe(Array.IndexOf(logits, logits.Max()));
        });

    [Fact]
    public void Of_BrokenAnywhere_NamesTheToken() =>
        Gen.Select(Gen.Int[1, 400], Gen.Int[0, 399], Gen.Bool).Where(static all => all.Item2 < all.Item1).Sample(static (length, at, isNaN) =>
        {
            float[] logits = new float[length];
            logits[at] = isNaN ? float.NaN : float.PositiveInfinity;

            Should.Throw<NativeException>(() => Logits.Of(logits)).Message.ShouldContain($"token {at}:");
        });
}
