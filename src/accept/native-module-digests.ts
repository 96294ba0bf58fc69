/**
 * What the native server's package ships, by operating system, processor and ABI of Node
 * (`process.versions.modules`): the SHA-256 of each binary, as it was when this version was reviewed. The
 * package comes from a registry with binaries that nobody here has built.
 */

/** The version of the package that the digests belong to. */
export const nativeModuleVersion = '3.0.6';

/** SHA-256 in hexadecimal by the `linux_x64_115` of `uws_linux_x64_115.node`. */
export const nativeModuleDigests: Readonly<Record<string, string>> = {
  darwin_arm64_102: '2be560d3a4b5612810de95521bebfca84fd2702216e424fbbb6164de6c75b90f',
  darwin_arm64_108: '103f00628018b6cfe27a064a503d557d261d2d1129336629ef9fd355cfd5cedc',
  darwin_arm64_115: 'f6132ac4d0954ce32ed716d5b367270904c5885bc6e01dcc8ae5809a8967d504',
  darwin_arm64_120: '5063e409c6c30bc0b3bd6f9dc2f16e2fc69d5766b04bb25df7c37d548dd52b3c',
  darwin_arm64_127: '84ab0c487fbbb895afbfa24c7ac02db5922b2eb468b3a4663aaca52af29b420c',
  darwin_arm64_137: 'dd7623e7e600dcc1384c4a639ac05849f0c27125be8c431b702e0513e86613f0',
  darwin_arm64_141: 'a1c354c77958054d144a1cb1ab2b5f445e4c1454c98762eb52eef7a6cd95c0c5',
  darwin_arm64_83: 'a9dec4cdf2fb798618f1dcd72777d3f84e9ec1c7ca4a04573cf3e8e1dc2e3900',
  darwin_arm64_88: '36d73009797b8a7e9bfb3f13e84e62378a0ad31db51939093eab5a820db5e7c5',
  darwin_arm64_93: '6030df3a56b40f8611716bf1f1202ddda961067e4112c74fefcc8fe8c6451410',
  darwin_x64_102: '96abdc04ccfb72e5f08f02416aa5861f016200c4721c0dc8cd6503829c3f4553',
  darwin_x64_108: 'd5927dd61f26aa867d014ec0aaf67f27a02db5d194694cb96e10070498cf83c5',
  darwin_x64_115: '7552dc27e278be4a5f9ca4f571676e9046929ef8753b1bb63b84f78e1a752a11',
  darwin_x64_120: '62bdc131b12d70fa4869b852bd4d894d21f79c5a7048fb12f0f790e6f7e96827',
  darwin_x64_127: '1bcd63a9cd5cda811d899b80f9b1f7c9f29d128feafebe6976069ab1045a0335',
  darwin_x64_137: '7df6e0b2be43048200370a64ee91d6563879f5d3b0207f846dc81377ffc4e189',
  darwin_x64_141: 'f490b002468feebeeedba127e20594ec75138bb7c17e9f681a652fe5d408db7d',
  darwin_x64_83: '9c4c3ae9471cdbc7127214598f6c067bc78c1da3feb5a05fb96b08d8d034b3a6',
  darwin_x64_88: '9f59ab5477b94db3a3f38d073b298dd348d1692ed379c030c585248d899fd0ee',
  darwin_x64_93: '7fdb07a25fa709cd11d6eb2560d7d5a08fba48a501d58c5e024382ed9e1f46fd',
  linux_arm64_102: '365c791c67bc6bd697b82720b0e37034c50d5729cc2e5732e1725683a9600374',
  linux_arm64_108: 'fcfcd26b1db213a680da90815fdd30d128130e57cbaa0cbd935ab38ec3d4ca9a',
  linux_arm64_115: '034e0fcccdc08f90df3b130f421516311831b1352fe38eab91abc2984c2fdf3a',
  linux_arm64_120: '87a48dc0366ae7011874d8c4cfb57c7c94dd5776d09c2f971b3d40d211fdd6d1',
  linux_arm64_127: 'a7d9bc3ec166421a49416d5ea4f49118ae68ea1dbf8a765c4f45a79b0b6adb13',
  linux_arm64_137: 'b6eb007d627e00bcce03ad38f197124e9027c03f6fe784b37f97b8a6ea709cb4',
  linux_arm64_141: '1317f2e69ea1924ee8dd94ed02a3e6beb08e55d8b06f18caeda3d67a02857aee',
  linux_arm64_83: '7820ed61193a9a0a4d6a2e917eecde3421809ee2152388a1461bb62a7fec6ae6',
  linux_arm64_88: '8221103acabd26e47f9eec29942c42f765f5bf0993843079998242c5526ab420',
  linux_arm64_93: '0977cbada43de6688eb8f748f52fb449b3524a89289b5d68e7c9320c7c198470',
  linux_arm_108: '693c6a4e7c4ed8ae75339a6cf08c911ff679236c8c0342616c64a38139027911',
  linux_arm_115: '4966e43e7620aba56bccfa54f784fd8a9e3816a19e561d211dc40ae9e9097e35',
  linux_arm_120: '0627a7758c323a52e4176112fae1036c4f1c5d973b68ccadd90ad7d59099399d',
  linux_arm_93: '3ec638179eef8a306ac4a002ac7fa70e0d80e1bd08d2ceded8bbe354c60d4116',
  linux_x64_102: 'deff6998bd5cd34fc1672f6792a111d05bdf8d7f7f3b4e7bea490c1f8bc77864',
  linux_x64_108: 'faafcc86554688d309009dcc78a1baabb9b9c827fb5b9e4cc85557f625731daf',
  linux_x64_115: 'f4fa5d7b697529b45ac8aa3d57385d9af51bc1d2b26aa9f5b68ca4361542e665',
  linux_x64_120: 'd5ad6e0ea9738821e8d38af271a02bb6ce7665f4149c935f59464d2365186563',
  linux_x64_127: '78e38a9a163b1cf33ce539619e5908111dea95a12e7943d95fbcdd524879caa8',
  linux_x64_137: '3b549c14e01d9d1faf234cdf4b6f0fb08158605e3692cd0eb1b905e327bd3449',
  linux_x64_141: 'd22bae7642b872152cd0eeb682c6c2ffd186e91af8cf18cdf98be984a6549d49',
  linux_x64_83: '80573cd00c88c0b802e27e605b23e8610120bf60be79f7ea4c45da6fb214c451',
  linux_x64_88: 'a9ae5433292a081fe93bb2eac3c6864f5055575a0ab2908ecc60ed3b357b7b44',
  linux_x64_93: '0b18e27d005d21b5c5f4d93d291afe18e6e61b683bf74b1d32735e3f56d78f56',
  win32_x64_102: '108e3be942a956ae3c18afebd67f54fdf3b9340370f7ef95e040196d563100f3',
  win32_x64_108: '9aeba0f008e15cc496f5a19c3df744f1cd75cda0a29cea66f76e67f8f1d6a77f',
  win32_x64_115: '160eeb564c9e5887893f6b561fbcf39fecc6fbd6cacc86f461af67b3688d84fa',
  win32_x64_120: 'e91547c38e7e09d20c4130aa64b6e19bed9869fd1021bfef5deb7d588dd283dc',
  win32_x64_127: 'bf190a123983621f89f8ac667c354fd95f45b9b153095bdfe1167c50d1922746',
  win32_x64_137: 'ad2eff4924594a5dba3b451334f432bd526c33885960f8b68e85261b0ac4ff07',
  win32_x64_141: '057219df64d16ec607f9e36108565b6968a9812961ded928de251baa5240d150',
  win32_x64_83: '6d799fe59b2b5636fecce61eba6a06a435987d11bfddf27ff28f24fe088d5012',
  win32_x64_88: '571b64e605f00b032890f7a398b0e4b25e71baf71ee1345c32addaabc2f61afa',
  win32_x64_93: '25d4e1f0eef3ac4432b3bd40b4e798ecdceaf557135fed60e8755b6668687035',
};

/**
 * The GNU C library that a binary for Linux needs, where that is a newer one than Node.js 20 needs itself (2.28). Debian
 * 12 has 2.36, and so have the images of Node.js that are built on it.
 */
export const neededGlibc: Readonly<Record<string, string>> = {
  linux_arm64_127: '2.38',
  linux_arm64_137: '2.38',
  linux_arm64_141: '2.38',
  linux_x64_127: '2.38',
  linux_x64_137: '2.38',
  linux_x64_141: '2.38',
};
