// Constants of exp, tanh and gelu, shared by the vector code (math-inl.h) and its scalar oracle.
#pragma once

namespace smallmind {

inline constexpr float kExpMagic = 12582912.0f;  // 1.5·2^23: adding it rounds to an integer
inline constexpr float kLog2E = 1.44269502f;
inline constexpr float kLn2Hi = 0.693359375f;     // 10 bits: n·hi is exact
inline constexpr float kLn2Lo = -2.12194440e-4f;  // ln 2 − hi
inline constexpr float kExpQ0 = 0x1.fffffcp-2f;   // q(r) ≈ (e^r − 1 − r)/r², minimax
inline constexpr float kExpQ1 = 0x1.555490p-3f;
inline constexpr float kExpQ2 = 0x1.5558fap-5f;
inline constexpr float kExpQ3 = 0x1.123b6ap-7f;
inline constexpr float kExpQ4 = 0x1.6a21acp-10f;
inline constexpr float kExpMin = -104.0f;           // e^-104 < 2^-150 rounds to 0
inline constexpr float kExpMax = 89.0f;             // e^89 > 2^128 is infinite
inline constexpr float kTanhMax = 20.0f;            // 2|x| beyond it: tanh rounds to 1
inline constexpr float kGeluC1 = 1.5957691216f;     // 2·√(2/π)
inline constexpr float kGeluC3 = 0.0713548162726f;  // 2·√(2/π)·0.044715

}  // namespace smallmind
